// org.livepatchd1(5) and docs/dbus-api.md against the interfaces as they are served, the errors, the actions and the limits.
using System.Reflection;
using System.Text.RegularExpressions;
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests;
using LivePatchd.Loop;

namespace LivePatchd.EndToEnd.Tests;

public sealed partial class BusDocumentTests
{
    private static readonly string Guide = File.ReadAllText(RepositoryFile.PathOf("docs/dbus-api.md"));

    private static ManPage Page { get; } = new("org.livepatchd1.5");

    private static IReadOnlyList<BusInterface> Interfaces
    {
        get
        {
            var authorizer = new Authorizer();
            return [new ManagerInterface(_ => { }, authorizer).Interface, PatchInterface.Interface, new JobInterface(_ => { }, authorizer).Interface, GateInterface.Interface];
        }
    }

    private static IEnumerable<string> Errors =>
        typeof(BusErrors).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)
            .Where(n => n.StartsWith(BusNames.ErrorPrefix, StringComparison.Ordinal)).Select(n => n[BusNames.ErrorPrefix.Length..])
            .Concat(Enum.GetValues<Reason>().Select(r => r.BusError())).Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<string> Actions =>
        typeof(PolkitActions).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => Short((string)f.GetRawConstantValue()!)).Order(StringComparer.Ordinal);

    [Fact]
    public void The_page_has_every_method_with_its_arguments_and_no_other()
    {
        foreach (var iface in Interfaces.Where(i => i.Methods.Count > 0))
        {
            var declared = iface.Methods.Select(m => $"**{m.Name}**({In(m)}){(m.OutSignature.Length > 0 ? $" -> **{m.OutSignature}** {m.OutNames[0]}" : "")}");
            Assert.Equal(declared.Order(StringComparer.Ordinal), Terms(iface, "Methods"));
        }
    }

    [Fact]
    public void The_page_has_every_property_with_its_announcement_and_no_other()
    {
        foreach (var iface in Interfaces)
        {
            var declared = iface.Properties.Select(p => $"**{p.Name}** {p.Signature}{p.Change switch { BusPropertyChange.Constant => ", constant", BusPropertyChange.NotAnnounced => ", not announced", _ => "" }}");
            Assert.Equal(declared.Order(StringComparer.Ordinal), Terms(iface, "Properties"));
        }
    }

    [Fact]
    public void The_page_has_every_signal_error_and_action_and_no_other()
    {
        var manager = Interfaces[0];
        Assert.All(Interfaces.Skip(1), i => Assert.Empty(i.Signals));
        Assert.Equal(manager.Signals.Select(s => $"**{s.Name}**(**{s.Signature}** {string.Join(", ", s.Names)})").Order(StringComparer.Ordinal), Terms(manager, "Signals"));
        Assert.Equal(Errors, Page.Terms("ERRORS").SelectMany(t => t.Bold).Order(StringComparer.Ordinal));
        Assert.Equal(Actions, Page.Terms("ACTIONS").SelectMany(t => t.Bold).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_guide_has_every_method_with_its_arguments_and_no_other()
    {
        foreach (var iface in Interfaces.Where(i => i.Methods.Count > 0))
        {
            var declared = iface.Methods.Select(m => $"{m.Name} | {Cell(m.InSignature, string.Join(", ", m.InNames))} | {(m.OutSignature == "o" ? Cell("o", m.OutNames[0]) : m.OutSignature == "h" ? Cell("h", m.OutNames[0]) : m.OutSignature == "s" && m.OutNames[0] == "name" ? Cell("s", "name") : Cell(m.OutSignature, ""))}");
            Assert.Equal(declared.Order(StringComparer.Ordinal), Rows(Heading(iface, "methods"), "method").Select(r => $"{r[0].Trim('`')} | {r[1]} | {r[2]}").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void The_guide_has_every_property_with_its_announcement_and_no_other()
    {
        foreach (var iface in Interfaces)
        {
            var declared = iface.Properties.Select(p => $"`{p.Name}` `{p.Signature}` {p.Change switch { BusPropertyChange.Constant => "constant", BusPropertyChange.NotAnnounced => "no", _ => "yes" }}");
            Assert.Equal(declared.Order(StringComparer.Ordinal), Rows(Heading(iface, "properties"), "property").Select(r => $"{r[0]} {r[1]} {r[2]}").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void The_guide_has_every_signal_and_error_and_no_other()
    {
        Assert.Equal(
            Interfaces[0].Signals.Select(s => $"`{s.Name}` `{s.Signature}` {string.Join(", ", s.Names)}").Order(StringComparer.Ordinal),
            Rows("Manager: signals", "signal").Select(r => $"{r[0]} {r[1]}").Order(StringComparer.Ordinal));
        Assert.Equal(Errors, Rows("Errors", "error").Select(r => r[0].Trim('`')).Order(StringComparer.Ordinal));
    }

    /// <summary>Not what a table says, but what polkit is asked when somebody calls.</summary>
    [Fact]
    public void Both_documents_name_the_actions_that_polkit_is_asked_for()
    {
        using var service = new GuardedService();
        var asked = new Dictionary<(string Interface, string Method), string>();
        foreach (var (_, iface, method) in service.Guarded)
        {
            foreach (var job in iface == BusNames.Job ? new[] { GuardedService.ApplyJob, GuardedService.RevertJob } : [BusNames.ManagerPath])
                asked[(iface, method.Name)] = asked.GetValueOrDefault((iface, method.Name)) is { } first ? $"{first} {Ask(service, job, iface, method)}" : Ask(service, job, iface, method);
        }
        foreach (var (iface, method) in AccessTable.Methods)
        {
            var action = Rows(Heading(iface), "method").Single(r => r[0] == $"`{method}`")[4];
            var inGuide = action == "everybody" ? "everybody" : string.Join(' ', Quoted().Matches(action).Select(m => m.Groups["word"].Value).Where(Actions.Contains));
            var term = Page.Terms(Heading(iface).ToUpperInvariant(), "Methods").Single(t => t.Line.StartsWith($"**{method}**(", StringComparison.Ordinal));
            var inPage = ActionOfTerm().Match(term.Text) is { Success: true } named ? named.Groups["actions"].Value : "everybody";
            var expected = asked.GetValueOrDefault((iface, method), "everybody");
            Assert.Equal($"{method}: {Words(expected)}", $"{method}: {Words(inGuide)}");
            // With an option there are more, which the text tells behind a semicolon.
            Assert.Equal($"{method}: {Words(expected)}", $"{method}: {Words(string.Join(' ', Bold().Matches(inPage.Split(';')[0]).Select(m => m.Groups["word"].Value).Where(Actions.Contains).DefaultIfEmpty("everybody")))}");
        }
    }

    [Fact]
    public void The_guide_has_the_options_with_the_actions_that_they_take()
    {
        using var service = new GuardedService();
        foreach (var row in Rows("Options", "option"))
        {
            var (option, type, of) = (row[0].Trim('`'), row[1].Trim('`'), row[2]);
            object value = type == "b" ? true : 1UL;
            foreach (var (method, action) in new[] { ("Apply", "apply"), ("Revert", "revert") })
            {
                var takes = of.Contains(method, StringComparison.Ordinal);
                Assert.Equal(takes, ChangeOptions.Read(new() { [option] = value }, method == "Apply").Wrong is null);
                if (takes && type == "b")
                    Assert.Equal($"{action} {row[4].Trim('`')}".Trim(), Asked(service, client => GuardedService.Change(client, method, option)));
            }
        }
        // Each member of the options is one row.
        Assert.Equal(typeof(ChangeOptions).GetProperties().Length, Rows("Options", "option").Count());
    }

    [Fact]
    public void The_guide_has_the_limits_of_the_code()
    {
        string[] limits =
        [
            $"| requests that wait for their answer | {UserRequests.MaxOfOne} | {UserRequests.MaxOfAll} of all users but root |",
            $"| open jobs | {JobTable.MaxOpenOfOne} | {JobTable.MaxOpen}, of which {JobTable.KeptForRoot} are kept for root |",
            $"| inhibitors | {InhibitorTable.MaxPerSender} | {InhibitorTable.MaxAll}, of which {InhibitorTable.MaxPerSender} are kept for root; root has {InhibitorTable.MaxPerSender} a connection |",
            $"| files to stage, unstage or judge that wait | | {JobTable.MaxOpen} |",
            $"| callers that wait for a bundle of `Diagnose` | | {DiagnosisDesk.MaxWaiting} |",
            $"| calls of one connection of which it is not known yet whose they are | {UnknownCallers.MaxOfOne} | {UnknownCallers.MaxOfAll:N0} |",
        ];
        Assert.All(limits, line => Assert.Contains(line, Guide, StringComparison.Ordinal));
        Assert.Contains($"have at most {Authorizer.MaxArguments:N0} bytes,", Guide, StringComparison.Ordinal);
        Assert.Contains($"at most {BusReader.MaxOptions} entries and {BusReader.MaxOptionBytes:N0} bytes", Guide, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromMinutes(1), JobTable.Linger);
        Assert.Contains($"polkit has {AccessQuestion.Patience.TotalSeconds:0.0} s", Guide, StringComparison.Ordinal);
    }

    [Fact]
    public void The_architecture_has_every_thread_and_no_other()
    {
        var started = new[] { "src/LivePatchd", "src/LivePatchd.Bus", "src/LivePatchd.Linux" }
            .SelectMany(d => Directory.EnumerateFiles(RepositoryFile.PathOf(d), "*.cs", SearchOption.AllDirectories)).Where(f => !f.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(f => Thread().Matches(File.ReadAllText(f))).Select(m => m.Groups["name"].Value);
        var told = Table(File.ReadAllText(RepositoryFile.PathOf("docs/architecture.md")), "Threads", "thread").Select(r => r[0].Trim('`'));
        Assert.Equal(started.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));
    }

    private static string Ask(GuardedService service, string path, string iface, BusMethod method) =>
        Asked(service, client => GuardedService.Call(client, path, iface, method.Name, method.InSignature));

    /// <summary>What polkit is asked for in a call that it allows. On a busy machine its answer may come too late, and the call is made again.</summary>
    private static string Asked(GuardedService service, Func<BusClient, string> call)
    {
        for (var tries = 10; tries > 0; tries--)
        {
            using var polkit = new FakePolkit(service.Bus, PolkitMood.Yes);
            using var client = service.As(UserClient.Nobody);
            if (call(client) == "Ran")
                return string.Join(' ', polkit.Actions);
        }
        return "nothing in time";
    }

    private static string In(BusMethod method) =>
        method.InSignature.Length == 0 ? "" : $"**{method.InSignature}** {string.Join(", ", method.InNames)}";

    private static string Cell(string signature, string names) => signature.Length == 0 ? "" : $"`{signature}` {names}".Trim();

    private static IEnumerable<string> Terms(BusInterface iface, string subsection) =>
        Page.Terms(iface.Name.ToUpperInvariant(), subsection).Select(t => t.Line.Replace("\\_", "_", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    private static string Heading(BusInterface iface, string kind) => iface.Name == BusNames.Manager ? $"Manager: {kind}" : Short(iface.Name);

    private static string Heading(string iface) => iface;

    private static IEnumerable<string[]> Rows(string heading, string firstColumn) =>
        Table(Guide, heading.StartsWith(BusNames.Service + ".", StringComparison.Ordinal) ? Heading(Interfaces.Single(i => i.Name == heading), "methods") : heading, firstColumn);

    /// <summary>The rows below the heading of the table whose first column is called so.</summary>
    private static IEnumerable<string[]> Table(string document, string heading, string firstColumn)
    {
        var lines = document.Split('\n').SkipWhile(l => l.TrimStart('#') != " " + heading).ToList();
        Assert.True(lines.Count > 0, $"no heading {heading}");
        var rows = lines.SkipWhile(l => !l.StartsWith($"| {firstColumn} |", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.StartsWith('|')).ToList();
        Assert.NotEmpty(rows);
        return rows.Select(r => r.Split('|')[1..^1].Select(c => c.Trim()).ToArray());
    }

    private static string Short(string name) => name[(name.IndexOf('.', "org.livepatchd".Length) + 1)..];

    private static string Words(string text) => string.Join(' ', text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal));

    [GeneratedRegex("`(?<word>[a-z-]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\*\*(?<word>[a-z-]+)\*\*")]
    private static partial Regex Bold();

    [GeneratedRegex(@"Action: (?<actions>.+)\.$")]
    private static partial Regex ActionOfTerm();

    [GeneratedRegex(@"(new Thread\(\w+\) \{ [^}]*Name = |new SpareThread\(|SideThread<\w+> \w+ = new\(|BoundedWrite \w+ = new\(|new Worker\()""(?<name>[^""]+)""")]
    private static partial Regex Thread();
}
