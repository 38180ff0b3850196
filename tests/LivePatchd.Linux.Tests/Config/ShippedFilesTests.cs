// The files that are installed: the shipped configuration is exactly the defaults, and the unit agrees with the code.
using System.Text.RegularExpressions;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Config;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Tasks;

namespace LivePatchd.Linux.Tests.Config;

public sealed partial class ShippedFilesTests
{
    private static readonly string Repository = FindRepository();

    [Fact]
    public void The_shipped_configuration_is_exactly_the_defaults()
    {
        var result = Shipped();
        Assert.Empty(result.Errors);
        Assert.Empty(result.Warnings);
        Assert.Equivalent(Settings.Default, result.Settings, strict: true);
    }

    [Fact]
    public void The_shipped_configuration_shows_every_key_in_force()
    {
        var shown = Shipped().Origins;
        Assert.NotEmpty(shown);
        Assert.All(shown, o => Assert.True(o.File is not null, $"{o.Key} is missing in config/livepatchd.yaml"));
    }

    [Fact]
    public void Every_setting_of_the_shipped_configuration_has_a_comment()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository, "config/livepatchd.yaml"));
        var documented = Shipped().Origins.Where(o => !o.Key.StartsWith("transition.backoff.", StringComparison.Ordinal));
        Assert.All(documented, o => Assert.StartsWith("#", lines[o.Line - 2].TrimStart(), StringComparison.Ordinal));
    }

    [Fact]
    public void The_unit_makes_the_directories_that_the_defaults_use()
    {
        var unit = File.ReadAllText(Path.Combine(Repository, "systemd/livepatchd.service"));
        var state = Setting(unit, "StateDirectory").Split(' ').Select(d => $"/var/lib/{d}").ToList();
        Assert.All(Settings.Default.Directories, d => Assert.Contains(d.Path, state));
        Assert.Equal($"/run/{Setting(unit, "RuntimeDirectory")}", Path.GetDirectoryName(Settings.Default.Metrics.UnixSocket));
    }

    [Fact]
    public void The_unit_allows_no_writable_and_executable_memory_and_no_other_way_to_load_modules()
    {
        var unit = File.ReadAllText(Path.Combine(Repository, "systemd/livepatchd.service"));
        Assert.Equal("notify", Setting(unit, "Type"));
        Assert.Equal("yes", Setting(unit, "MemoryDenyWriteExecute"));
        Assert.Equal("CAP_SYS_MODULE CAP_DAC_READ_SEARCH CAP_SYSLOG CAP_SYS_RESOURCE", Setting(unit, "CapabilityBoundingSet"));
        Assert.DoesNotMatch(@"SystemCallFilter=.*\b(init_module|@module)\b", unit);
        // Of the calls for keys only the one that asks.
        Assert.Matches(@"SystemCallFilter=~.*@keyring", unit);
        Assert.Matches(@"SystemCallFilter=keyctl\n", unit);
        Assert.DoesNotMatch(@"SystemCallFilter=.*\b(add_key|request_key)\b", unit);
        Assert.DoesNotContain("ConditionPathExists", unit, StringComparison.Ordinal);
    }

    [Fact]
    public void The_units_agree_on_the_socket_by_which_tasks_are_asked_about()
    {
        var socket = File.ReadAllText(Path.Combine(Repository, "systemd/livepatchd-tasks.socket"));
        Assert.Equal(TaskHelper.SocketPath, Setting(socket, "ListenSequentialPacket"));
        Assert.Equal(("0600", "yes"), (Setting(socket, "SocketMode"), Setting(socket, "Accept")));
        Assert.Contains("livepatchd-tasks.socket", Setting(File.ReadAllText(Path.Combine(Repository, "systemd/livepatchd.service")), "Wants").Split(' '));
    }

    [Fact]
    public void The_unit_has_memory_for_the_largest_patch()
    {
        const long OwnNeed = 64 << 20;
        var limit = long.Parse(Setting(File.ReadAllText(Path.Combine(Repository, "systemd/livepatchd.service")), "MemoryMax").TrimEnd('M'), System.Globalization.CultureInfo.InvariantCulture) << 20;
        // Packed and unpacked, or unpacked and copied for its signature, which leaves a copy behind that nobody has collected yet.
        Assert.True(limit >= (3L * PatchStore.MaxFileSize) + OwnNeed, $"{limit}");
    }

    private static ConfigResult Shipped()
    {
        var path = Path.Combine(Repository, "config/livepatchd.yaml");
        return SettingsBuilder.Build([YamlFragmentReader.Read(path, File.ReadAllBytes(path))]);
    }

    private static string Setting(string unit, string name) =>
        Line().Matches(unit).Single(m => m.Groups[1].Value == name).Groups[2].Value;

    private static string FindRepository()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "Directory.Packages.props")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new InvalidOperationException("the tests do not run inside the repository");
    }

    [GeneratedRegex("^(\\w+)=(.*)$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
