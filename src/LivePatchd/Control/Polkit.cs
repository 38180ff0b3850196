// polkit's question and its answers: may this connection do this? Everything that is not a clear yes is some kind of no. Bus thread only.
using LivePatchd.Bus;

namespace LivePatchd.Control;

internal enum PolkitAnswer
{
    Yes,
    No,

    /// <summary>Yes for somebody who gives a password, and nobody was asked for one.</summary>
    NeedsPassword,
    Silent,
    Absent,
    Broken,
}

internal static class Polkit
{
    private const string Service = "org.freedesktop.PolicyKit1";
    private const string Path = "/org/freedesktop/PolicyKit1/Authority";
    private const string Authority = "org.freedesktop.PolicyKit1.Authority";
    private const uint AllowUserInteraction = 1;
    private static uint questions;

    /// <param name="sender">The unique bus name of who is to be judged.</param>
    /// <param name="interact">polkit may ask the sender's user for a password; the patience is then that user's.</param>
    public static void Ask(BusServer server, string sender, string action, bool interact, TimeSpan patience, Action<PolkitAnswer> done)
    {
        // Only a question that a person is asked needs a name by which to take it back.
        var question = interact ? $"livepatchd-{Interlocked.Increment(ref questions)}" : "";
        server.Call(
            Service,
            Path,
            Authority,
            "CheckAuthorization",
            patience,
            w =>
            {
                w.WriteStruct("sa{sv}", s =>
                {
                    s.WriteString("system-bus-name");
                    s.WriteOptions([KeyValuePair.Create<string, object>("name", sender)]);
                });
                w.WriteString(action);
                w.WriteArray<string>("{ss}", [], static (_, _) => { });
                w.WriteUInt32(interact ? AllowUserInteraction : 0);
                w.WriteString(question);
            },
            "(bba{ss})",
            static r => r.ReadStruct("bba{ss}", static s =>
            {
                var (authorized, challenge) = (s.ReadBool(), s.ReadBool());
                _ = s.ReadValue();
                return authorized ? PolkitAnswer.Yes : challenge ? PolkitAnswer.NeedsPassword : PolkitAnswer.No;
            }),
            answer =>
            {
                if (interact && answer.Error is { IsTimeout: true })
                    TakeBack(server, question);
                done(answer.IsOk ? answer.Value : OfError(answer.Error));
            });
    }

    private static PolkitAnswer OfError(BusError error) => error switch
    {
        { IsTimeout: true } => PolkitAnswer.Silent,
        { Name: BusErrorNames.InconsistentMessage } => PolkitAnswer.Broken,
        { Name: var name } when name.StartsWith(Service, StringComparison.Ordinal) => PolkitAnswer.Broken,
        // The bus says that nobody owns the name, or systemd why it did not start it.
        _ => PolkitAnswer.Absent,
    };

    /// <summary>Closes the window in which nobody typed a password.</summary>
    private static void TakeBack(BusServer server, string question) => server.Call(
        Service, Path, Authority, "CancelCheckAuthorization", AccessQuestion.Patience, w => w.WriteString(question), "", static _ => true, static _ => { });
}
