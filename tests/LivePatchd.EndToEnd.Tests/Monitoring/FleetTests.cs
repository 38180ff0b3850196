// A thousand hosts in one Prometheus: each query of the fleet's dashboard is answered within the second that the server allows.
using System.Globalization;
using System.Text;
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests.Monitoring;

public sealed class FleetTests : IDisposable
{
    private const int Hosts = 1000;
    private const int Samples = 3;

    private readonly string directory = Directory.CreateTempSubdirectory("lp-fleet-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    [Trait("Length", "long")]
    public async Task Dashboard_ThousandHosts_AnsweredWithinASecond()
    {
        Assert.SkipUnless(Tool.Exists("prometheus"), "prometheus is not installed");
        var last = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 7200 * 7200 - 3600);
        var series = Write(Path.Combine(directory, "fleet.txt"), last);
        Assert.InRange(series, 50 * Hosts, 300 * Hosts);
        (await Tool.Run(["promtool", "tsdb", "create-blocks-from", "openmetrics", Path.Combine(directory, "fleet.txt"), Path.Combine(directory, "tsdb")])).Exits(0);
        using var prometheus = await Prometheus.Reading(directory);
        Assert.Equal(Hosts, Assert.Single((await prometheus.TryQuery("count(livepatchd_info)", last))!).Value);
        foreach (var (panel, query, _) in DashboardQuery.Of("fleet"))
        {
            // A busy machine may be late; the same question is then asked again.
            await Limit.Until(async () => await prometheus.TryQuery(query, last) is { Count: > 0 }, () => $"{panel}: {query}");
        }
    }

    /// <summary>The series of a host with everything, by the text on file, for each of a thousand hosts.</summary>
    private static int Write(string path, DateTimeOffset last)
    {
        var lines = File.ReadAllLines(RepositoryFile.PathOf("tests/LivePatchd.Tests/Metrics/Golden/prometheus.txt"))
            .Where(static l => l.Length > 0 && l[0] != '#').Append("up 1").ToList();
        using var file = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        foreach (var line in lines)
        {
            var space = line.LastIndexOf(' ');
            var (name, value) = (line[..space], line[(space + 1)..]);
            var number = value == "N" ? "1" : value;
            for (var host = 0; host < Hosts; host++)
            {
                var labels = $"instance=\"host{host}\",job=\"livepatchd\"";
                var named = name.EndsWith('}') ? $"{name[..^1]},{labels}}}" : $"{name}{{{labels}}}";
                for (var sample = Samples - 1; sample >= 0; sample--)
                    file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{named} {number} {last.ToUnixTimeSeconds() - 15 * sample}"));
            }
        }
        file.WriteLine("# EOF");
        return lines.Count * Hosts;
    }
}
