// What a bus error means to the person who typed the command: an exit code, why, and what to do next.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Client;

/// <param name="Reason">Where the daemon named one: the next step is then the reason's own.</param>
internal sealed record Failure(int ExitCode, string Why, string Next, Reason? Reason = null)
{
    public const string NoSuchPatch = BusNames.ErrorPrefix + "NoSuchPatch";

    private const string SeeStatus = "livepatchctl status";

    // What the bus answers when it tried to start the service for us.
    private static readonly string[] FailedActivations =
        ["org.freedesktop.DBus.Error.Spawn.", "org.freedesktop.DBus.Error.TimedOut", "org.freedesktop.systemd1."];

    /// <param name="patch">Of whom the request was; null when it was of none, or its name is not known.</param>
    public static Failure Of(BusError error, string? patch = null)
    {
        var failure = error.Name.StartsWith(BusNames.ErrorPrefix, StringComparison.Ordinal)
            ? FromDaemon(error.Name[BusNames.ErrorPrefix.Length..], error.Message, PatchName.TryParse(patch ?? "") is not null)
            : FromBus(error);
        return patch is null ? failure : failure with { Next = PatchText.NextStep(failure.Next, patch) };
    }

    private static Failure FromDaemon(string name, string message, bool ofPatch)
    {
        Failure Because(int exitCode, string next) => Failure.Because(exitCode, message, next);
        return name switch
        {
            "NotAuthorized" => NotAuthorised($"not authorised ({message})"),
            "Held" => Because(Ctl.ExitCode.TryLater, SeeStatus),
            "Stalled" => Because(Ctl.ExitCode.Reversed, SeeStatus),
            "Quarantined" => Because(Ctl.ExitCode.Refused, "livepatchctl list"),
            "WrongKernel" => Because(Ctl.ExitCode.Refused, "install the build for the running kernel"),
            "BadSignature" => Because(Ctl.ExitCode.Refused, "sign the module with a key that the kernel trusts"),
            "NameConflict" => Because(Ctl.ExitCode.Failed, "livepatchctl list"),
            "Busy" or "LimitsExceeded" => Because(Ctl.ExitCode.TryLater, "try again later"),
            "NoSuchPatch" => new Failure(Ctl.ExitCode.NoSuchPatch, "no such patch", "livepatchctl list shows those there are"),
            // With a name that can be one, it is the patch that is not in a state for the request.
            "InvalidArgument" => Because(Ctl.ExitCode.Usage, ofPatch ? "livepatchctl show NAME" : "livepatchctl --help"),
            _ => Because(Ctl.ExitCode.Failed, SeeStatus),
        };
    }

    private static Failure FromBus(BusError error) => error switch
    {
        { Name: BusErrorNames.AccessDenied } => NotAuthorised("not authorised"),
        { Name: BusErrorNames.ServiceUnknown or BusErrorNames.NameHasNoOwner } =>
            new(Ctl.ExitCode.Unreachable, "livepatchd is not running", "systemctl start livepatchd"),
        { Name: var name } when FailedActivations.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)) =>
            new(Ctl.ExitCode.Unreachable, $"livepatchd could not be started ({error.Message})", "journalctl -u livepatchd"),
        { IsTimeout: true } => new(Ctl.ExitCode.Unreachable, "livepatchd does not answer", "systemctl status livepatchd"),
        { Errno: BusErrno.LibraryAccess } => new(Ctl.ExitCode.Unreachable, error.Message, "install libsystemd"),
        { IsUnreachable: true } => new(Ctl.ExitCode.Unreachable, $"the message bus cannot be reached ({error.Message})", "systemctl status dbus"),
        { Name: BusErrorNames.UnknownMethod or BusErrorNames.UnknownObject or BusErrorNames.UnknownInterface } =>
            new(Ctl.ExitCode.Failed, $"this livepatchd does not know the request ({error.Message})", "livepatchctl status shows its version"),
        // Too long, too many, or of the wrong kind: what sd-bus and the daemon's own limits refuse.
        { Name: BusErrorNames.InvalidArgs } => Because(Ctl.ExitCode.Usage, error.Message, "livepatchctl --help"),
        { Name: BusErrorNames.Failed } => Because(Ctl.ExitCode.Failed, error.Message, SeeStatus),
        _ => Because(Ctl.ExitCode.Failed, $"{error.Message} ({error.Name})", SeeStatus),
    };

    // The daemon begins its message with a reason where one of the closed list fits.
    private static Failure Because(int exitCode, string message, string next) =>
        ReasonTable.Parse(message.Split(':', 2)[0]) is { } reason
            ? new(exitCode, $"{message} ({reason.Sentence.TrimEnd('.')})", reason.NextStep, reason.Reason)
            : new(exitCode, message, next);

    private static Failure NotAuthorised(string why) => new(Ctl.ExitCode.NotAuthorised, why, "try sudo");
}
