// What `busctl monitor` shows of an apply: the call, its answer and every signal that says how it went, in order.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace LivePatchd.EndToEnd.Tests;

public sealed class MonitorTests
{
    [Fact]
    public async Task An_apply_is_on_the_bus_as_it_is_on_file()
    {
        Assert.SkipUnless(Tool.Exists("busctl"), "busctl is not installed");
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Assert.Equal("done", await host.View.Job("Revert", "lp_one"));

        using var monitor = new Monitor(host);
        // It says nothing of when it begins to see: it is asked until it has seen.
        await Limit.Until(() =>
        {
            host.View.History("");
            return monitor.Lines.Any(l => l.Contains("History", StringComparison.Ordinal));
        });
        // Each state stands until the test lets it go: what is quick would be shown or not as it happens.
        host.Kernel.Busy = true;
        host.Kernel.LoadGate.Reset();
        var job = BusView.Value(host.View.Ask("Apply", "lp_one"));
        await host.Becomes("lp_one", "loading");
        host.Kernel.LoadGate.Set();
        await host.Becomes("lp_one", "transitioning");
        host.Kernel.Complete();
        Assert.Equal("done", await host.View.Result(job));
        // Whatever came before this one has been shown before it.
        host.View.History("lp_one");
        await Limit.Until(() => monitor.Lines.Any(l => l.Contains("[\"lp_one\"]", StringComparison.Ordinal)));
        Golden.Check("monitor-apply.txt", string.Concat(Shown(monitor.Lines).Select(l => l + "\n")));
    }

    private static IEnumerable<string> Shown(IEnumerable<string> lines)
    {
        var cookie = -1L;
        foreach (var line in lines)
        {
            using var document = JsonDocument.Parse(line);
            var message = document.RootElement;
            var member = Text(message, "member");
            switch (Text(message, "type"))
            {
                case "method_call" when member == "Apply":
                    cookie = message.GetProperty("cookie").GetInt64();
                    yield return $"call {Where(message)} {Payload(message)}";
                    break;
                case "method_return" when message.GetProperty("reply_cookie").GetInt64() == cookie:
                    yield return $"return {Payload(message)}";
                    break;
                // Of the properties those that tell how it went: figures and times are the host's own.
                case "signal" when cookie >= 0 && member == "PropertiesChanged":
                    if (Changed(message.GetProperty("payload").GetProperty("data")) is { Length: > 0 } changed)
                        yield return $"signal {Text(message, "path")} {changed}";
                    break;
                case "signal" when cookie >= 0 && member is "InterfacesAdded" or "InterfacesRemoved":
                    var data = message.GetProperty("payload").GetProperty("data");
                    yield return $"signal {Where(message)} {data[0]}";
                    break;
                case "signal" when cookie >= 0 && member is "JobNew" or "JobRemoved" or "GateChanged":
                    yield return $"signal {Where(message)} {Payload(message)}";
                    break;
            }
        }
    }

    private static string Changed(JsonElement data) => string.Join(' ', data[1].EnumerateObject()
        .Where(p => p.Name is "State" or "Reason" or "Result" or "Origin" or "TransitionPatch")
        .Select(p => $"{p.Name}={p.Value.GetProperty("data").GetString()}")
        .Order(StringComparer.Ordinal));

    private static string Where(JsonElement message) => $"{Text(message, "path")} {Text(message, "interface")}.{Text(message, "member")}";

    private static string Payload(JsonElement message) =>
        $"{message.GetProperty("payload").GetProperty("type").GetString()} {message.GetProperty("payload").GetProperty("data").GetRawText()}";

    private static string Text(JsonElement message, string name) => message.TryGetProperty(name, out var value) ? value.GetString() ?? "" : "";

    private sealed class Monitor : IDisposable
    {
        private readonly Process process;

        public Monitor(TestHost host)
        {
            process = Process.Start(new ProcessStartInfo("busctl", [$"--address={host.Bus.Address}", "--json=short", "monitor", "org.livepatchd1"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            process.OutputDataReceived += (_, line) =>
            {
                if (line.Data is { Length: > 0 } text)
                    Lines.Enqueue(text);
            };
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public ConcurrentQueue<string> Lines { get; } = [];

        public void Dispose()
        {
            process.Kill();
            process.WaitForExit(Limit.Call);
            process.Dispose();
        }
    }
}
