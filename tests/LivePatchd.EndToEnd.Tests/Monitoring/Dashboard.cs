// A dashboard's queries, as Grafana would ask them.
using System.Text.Json;
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests.Monitoring;

/// <param name="Instant">It shows the present, not the range.</param>
internal sealed record DashboardQuery(string Panel, string Query, bool Instant)
{
    public static string PathOf(string name) => RepositoryFile.PathOf($"config/monitoring/dashboards/{name}.json");

    public static IReadOnlyList<DashboardQuery> Of(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(PathOf(name)));
        return
        [
            .. from panel in document.RootElement.GetProperty("panels").EnumerateArray()
               from target in panel.GetProperty("targets").EnumerateArray()
               select new DashboardQuery(
                   panel.GetProperty("title").GetString()!,
                   target.GetProperty("expr").GetString()!.Replace("$instance", ".*", StringComparison.Ordinal),
                   target.GetProperty("instant").GetBoolean()),
        ];
    }
}
