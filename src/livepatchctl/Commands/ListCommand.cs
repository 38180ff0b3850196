// `list`: every patch with its state, one a line.
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class ListCommand
{
    public static int Run(Session session, bool asJson)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("list", daemon.Error);
        using var connection = daemon.Value;
        var host = connection.Host();
        if (!host.IsOk)
            return session.Fail("list", host.Error);
        var patches = connection.PatchesWithEvidence();
        if (!patches.IsOk)
            return session.Fail("list", patches.Error);
        if (asJson)
        {
            JsonOut.Document(session.Terminal, json =>
            {
                json.Objects("patches", patches.Value, patch => PatchJson.Members(json, patch));
                StatusJson.Conditions(json, host.Value.Conditions);
            });
        }
        else
        {
            Print(session, patches.Value);
            foreach (var condition in host.Value.Conditions)
                session.Terminal.Out.WriteLine(TextOf.Clean($"attention: {condition}"));
        }
        return ExitCode.Ok;
    }

    /// <summary>The table that `status` and `watch` show too.</summary>
    public static Table Tabulate(IEnumerable<PatchFacts> patches, DateTimeOffset now)
    {
        var table = new Table(
            new Column("PATCH", MinWidth: 20),
            new Column("STATE", MinWidth: 16),
            new Column("SINCE", DropOrder: 1),
            new Column("SHA256", DropOrder: 2));
        foreach (var patch in patches)
        {
            table.Add(
                new Cell(patch.Name),
                new Cell(PatchText.StateAndReason(patch.State, patch.Reason), Paints.Of(patch.KnownState)),
                new Cell(patch.StateSince is { } since ? TimeText.ShortSpan(now - since) : "-"),
                new Cell(PatchText.ShortDigest(patch.Sha256), Paint.Faint));
        }
        return table;
    }

    private static void Print(Session session, List<PatchFacts> patches)
    {
        var terminal = session.Terminal;
        if (patches.Count == 0)
        {
            terminal.Out.WriteLine("no patches");
            return;
        }
        foreach (var line in Tabulate(patches, session.Now).Lines(terminal.Columns, terminal.HasColour))
            terminal.Out.WriteLine(line);
    }
}
