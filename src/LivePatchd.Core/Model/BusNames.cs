// Names of the D-Bus interface, shared by the daemon that serves it and the tool that calls it.
namespace LivePatchd.Core.Model;

public static class BusNames
{
    public const string Service = "org.livepatchd1";
    public const string ManagerPath = "/org/livepatchd1";
    public const string PatchPrefix = "/org/livepatchd1/patch";
    public const string JobPrefix = "/org/livepatchd1/job";
    public const string GatePrefix = "/org/livepatchd1/gate";
    public const string Manager = "org.livepatchd1.Manager";
    public const string Patch = "org.livepatchd1.Patch";
    public const string Job = "org.livepatchd1.Job";
    public const string Gate = "org.livepatchd1.Gate";
    public const string ErrorPrefix = "org.livepatchd1.Error.";
}
