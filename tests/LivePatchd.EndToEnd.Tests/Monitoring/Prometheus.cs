// Debian's Prometheus in a test: on loopback, with the shipped rules, asked by its HTTP interface, ended by its id.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests.Monitoring;

internal sealed record Answer(IReadOnlyDictionary<string, string> Labels, double Value)
{
    public string this[string label] => Labels.GetValueOrDefault(label, "");
}

internal sealed class Prometheus : IDisposable
{
    public const string Rules = "config/monitoring/livepatchd.rules.yaml";

    private readonly HttpClient client = new() { Timeout = Limit.Call };
    private readonly Process process;
    private readonly Task<string> said;

    private Prometheus(string directory, string configuration, params string[] options)
    {
        var port = FreePort();
        Address = new Uri($"http://127.0.0.1:{port}/");
        var file = Path.Combine(directory, "prometheus.yml");
        File.WriteAllText(file, configuration);
        process = Process.Start(new ProcessStartInfo("prometheus",
        [
            $"--config.file={file}", $"--storage.tsdb.path={Path.Combine(directory, "tsdb")}", $"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage", "--log.level=warn", .. options,
        ])
        { RedirectStandardError = true, WorkingDirectory = directory })!;
        said = process.StandardError.ReadToEndAsync();
    }

    public Uri Address { get; }

    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>Scrapes twice a second; the alerts fire without waiting for their `for`, which promtool judges.</summary>
    public static async Task<Prometheus> Scraping(string directory, string target)
    {
        var rules = Path.Combine(directory, "rules.yaml");
        await File.WriteAllLinesAsync(rules, File.ReadLines(RepositoryFile.PathOf(Rules)).Where(static l => !l.TrimStart().StartsWith("for:", StringComparison.Ordinal)));
        return await Ready(new Prometheus(directory, $$$"""
            global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
            rule_files: ["{{{rules}}}"]
            scrape_configs:
              - job_name: livepatchd
                static_configs: [{targets: ["{{{target}}}"], labels: {instance: guest}}]
            """));
    }

    /// <summary>Scrapes nothing, and has what is in its directory; a query that takes longer than a second is an error.</summary>
    public static Task<Prometheus> Reading(string directory) =>
        Ready(new Prometheus(directory, "global: {}\n", "--query.timeout=1s", "--storage.tsdb.retention.time=10y"));

    /// <returns>Null where the query is not answered with success.</returns>
    public async Task<IReadOnlyList<Answer>?> TryQuery(string query, DateTimeOffset? at = null)
    {
        using var document = await Get($"api/v1/query?query={Uri.EscapeDataString(query)}{(at is { } moment ? $"&time={Seconds(moment)}" : "")}");
        var root = document.RootElement;
        if (root.GetProperty("status").GetString() != "success")
            return null;
        var data = root.GetProperty("data");
        if (data.GetProperty("resultType").GetString() != "vector")
            return [];
        return [.. data.GetProperty("result").EnumerateArray().Select(static r => new Answer(
            r.GetProperty("metric").EnumerateObject().ToDictionary(static p => p.Name, static p => p.Value.GetString()!),
            double.Parse(r.GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture)))];
    }

    public async Task<IReadOnlyList<Answer>> Query(string query)
    {
        var answer = await TryQuery(query);
        Assert.True(answer is not null, query);
        return answer;
    }

    /// <summary>How many series there are in that time; an error fails the test.</summary>
    public async Task<int> Range(string query, DateTimeOffset from, DateTimeOffset to)
    {
        var step = Math.Max(1, (to - from).TotalSeconds / 300);
        using var document = await Get(string.Create(CultureInfo.InvariantCulture, $"api/v1/query_range?query={Uri.EscapeDataString(query)}&start={Seconds(from)}&end={Seconds(to)}&step={step}"));
        Assert.True(document.RootElement.GetProperty("status").GetString() == "success", $"{query}: {document.RootElement}");
        return document.RootElement.GetProperty("data").GetProperty("result").GetArrayLength();
    }

    public async Task<JsonElement> Exemplars(string query, DateTimeOffset from, DateTimeOffset to)
    {
        using var document = await Get($"api/v1/query_exemplars?query={Uri.EscapeDataString(query)}&start={Seconds(from)}&end={Seconds(to)}");
        return document.RootElement.GetProperty("data").Clone();
    }

    public Task Until(string query, Func<IReadOnlyList<Answer>, bool> condition) => Limit.Until(
        async () => await TryQuery(query) is { } answer && condition(answer), () => $"{query}. {Said}");

    /// <summary>Waits until the alert fires.</summary>
    public async Task<Answer> Fires(string alert)
    {
        await Until(Firing(alert), static a => a.Count > 0);
        return (await Query($"last_over_time({Firing(alert)}[10m])"))[0];
    }

    public Task Ceases(string alert) => Until(Firing(alert), static a => a.Count == 0);

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.WaitForExit();
        process.Dispose();
        client.Dispose();
    }

    private static string Firing(string alert) => $"ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}";

    private static async Task<Prometheus> Ready(Prometheus started)
    {
        await Limit.Until(
            async () =>
            {
                Assert.False(started.process.HasExited, started.Said);
                try
                {
                    return (await started.client.GetAsync(new Uri(started.Address, "-/ready"))).IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            () => started.Said);
        return started;
    }

    private string Said => process.HasExited ? $"prometheus: {said.Result}" : "";

    private static string Seconds(DateTimeOffset moment) => (moment - DateTimeOffset.UnixEpoch).TotalSeconds.ToString("F3", CultureInfo.InvariantCulture);

    /// <summary>An error of a query is a document too.</summary>
    private async Task<JsonDocument> Get(string path)
    {
        using var answer = await client.GetAsync(new Uri(Address, path), TestContext.Current.CancellationToken);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
