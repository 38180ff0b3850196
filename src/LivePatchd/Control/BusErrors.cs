// The contract's D-Bus error names, and which one each reason becomes.
using LivePatchd.Core.Model;

namespace LivePatchd.Control;

internal static class BusErrors
{
    public const string Failed = "org.freedesktop.DBus.Error.Failed";
    public const string NotAuthorized = BusNames.ErrorPrefix + "NotAuthorized";
    public const string Held = BusNames.ErrorPrefix + "Held";
    public const string Busy = BusNames.ErrorPrefix + "Busy";
    public const string Quarantined = BusNames.ErrorPrefix + "Quarantined";
    public const string NameConflict = BusNames.ErrorPrefix + "NameConflict";
    public const string NoSuchPatch = BusNames.ErrorPrefix + "NoSuchPatch";
    public const string InvalidArgument = BusNames.ErrorPrefix + "InvalidArgument";
    public const string LimitsExceeded = BusNames.ErrorPrefix + "LimitsExceeded";

    public static string Of(Reason reason) => BusNames.ErrorPrefix + reason.BusError();
}
