// Which files count, in which order, what masks what, and that nothing in their place can stop or block the loader.
using System.Diagnostics;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Config;

namespace LivePatchd.Linux.Tests.Config;

public sealed class ConfigLoaderTests
{
    private const string Etc = "/etc/livepatchd/livepatchd.yaml";
    private const string Run = "/run/livepatchd/livepatchd.yaml";
    private const string Usr = "/usr/lib/livepatchd/livepatchd.yaml";

    /// <summary>What a file says that may not count.</summary>
    private static readonly TimeSpan Judged = TimeSpan.FromSeconds(77);

    [Fact]
    public void Everything_absent_is_the_defaults()
    {
        using var root = new TempRoot();
        var result = root.Load();
        Assert.Empty(result.Errors);
        Assert.Equivalent(Settings.Default, result.Settings, strict: true);
    }

    [Theory]
    [InlineData("Europe/Berlin", null)]
    [InlineData("UTC", null)]
    [InlineData("Europe/Berln", "gates.windows[0].timezone: \"Europe/Berln\" is no time zone of this host; did you mean Europe/Berlin?")]
    [InlineData("Middle/Earth", "is no time zone of this host")]
    public void ATimeZone_ThatTheHostDoesNotHave_IsAnError(string zone, string? error)
    {
        using var root = new TempRoot().Write(Etc, $"gates:\n  windows: [{{start: \"01:00\", length: 4h, timezone: {zone}}}]\n");
        var result = root.Load();
        Assert.Equal(error is null, result.IsValid);
        if (error is not null)
            Assert.Contains(error, Assert.Single(result.Errors).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { Etc, Run, Usr }, "1m")]
    [InlineData(new[] { Run, Usr }, "2m")]
    [InlineData(new[] { Usr }, "3m")]
    public void The_first_main_file_found_is_the_only_one(string[] present, string expected)
    {
        using var root = new TempRoot();
        foreach (var path in present)
            root.Write(path, $"transition: {{report-after: {(path == Etc ? "1m" : path == Run ? "2m" : "3m")}}}\n");
        // What the others hold is not read at all: not even their errors.
        if (present.Length < 3)
            root.Write("/etc/livepatchd/other.yaml", "nonsense: [");
        var result = root.Load();
        Assert.Empty(result.Errors);
        Assert.Equal(DurationText.TryParse(expected), result.Settings.Transition.ReportAfter);
        Assert.Equal(root[present[0]], result.Origins.Single(o => o.Key == "transition.report-after").File);
    }

    [Fact]
    public void An_empty_main_file_masks_the_weaker_ones()
    {
        using var root = new TempRoot().Write(Etc, "").Write(Usr, "mode: observe\n");
        Assert.Equal(DaemonMode.Apply, root.Load().Settings.Mode);
    }

    [Fact]
    public void A_link_to_dev_null_masks_the_weaker_ones()
    {
        using var root = new TempRoot().Link(Etc, "/dev/null").Write(Usr, "mode: observe\n");
        var result = root.Load();
        Assert.Empty(result.Errors);
        Assert.Equal(DaemonMode.Apply, result.Settings.Mode);
    }

    [Fact]
    public void Drop_ins_are_sorted_by_name_across_directories_and_the_later_wins()
    {
        using var root = new TempRoot()
            .Write(Etc, "transition: {report-after: 1s, backoff: {first: 1s}}\n")
            .Write($"{Etc}.d/10-a.yaml", "transition: {report-after: 10s}\n")
            .Write($"{Usr}.d/20-b.yaml", "transition: {report-after: 20s}\n")
            .Write($"{Run}.d/15-c.yaml", "transition: {report-after: 15s}\nmetrics: {listen: off}\n");
        var result = root.Load();
        Assert.Empty(result.Errors);
        Assert.Equal(TimeSpan.FromSeconds(20), result.Settings.Transition.ReportAfter);
        Assert.Equal(TimeSpan.FromSeconds(1), result.Settings.Transition.BackoffFirst);
        Assert.Null(result.Settings.Metrics.Listen);
        Assert.Equal((root[$"{Usr}.d/20-b.yaml"], 1), Origin(result, "transition.report-after"));
        Assert.Equal((root[$"{Run}.d/15-c.yaml"], 2), Origin(result, "metrics.listen"));
        Assert.Equal((root[Etc], 1), Origin(result, "transition.backoff.first"));
        Assert.Equal((null, 0), Origin(result, "metrics.unix-socket"));
    }

    [Theory]
    [InlineData(new[] { "/etc", "/run", "/usr/lib" }, 1)]
    [InlineData(new[] { "/run", "/usr/lib" }, 2)]
    [InlineData(new[] { "/usr/lib" }, 3)]
    public void Of_drop_ins_of_one_name_only_the_strongest_counts(string[] directories, int seconds)
    {
        using var root = new TempRoot();
        foreach (var directory in directories)
        {
            var value = directory switch { "/etc" => 1, "/run" => 2, _ => 3 };
            root.Write($"{directory}/livepatchd/livepatchd.yaml.d/50-x.yaml", $"transition: {{report-after: {value}s}}\n");
        }
        Assert.Equal(TimeSpan.FromSeconds(seconds), root.Load().Settings.Transition.ReportAfter);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_drop_in_is_masked_by_an_empty_file_or_a_link_to_dev_null(bool link)
    {
        using var root = new TempRoot().Write($"{Usr}.d/50-x.yaml", "mode: observe\n");
        if (link)
            root.Link($"{Etc}.d/50-x.yaml", "/dev/null");
        else
            root.Write($"{Etc}.d/50-x.yaml", "");
        var result = root.Load();
        Assert.Empty(result.Errors);
        Assert.Equal(DaemonMode.Apply, result.Settings.Mode);
    }

    [Fact]
    public void Lists_of_a_drop_in_replace()
    {
        using var root = new TempRoot()
            .Write(Etc, "directories: [{path: /a}, {path: /b}]\n")
            .Write($"{Etc}.d/1.yaml", "directories: [{path: /c}]\n");
        Assert.Equal(["/c"], root.Load().Settings.Directories.Select(d => d.Path));
    }

    [Fact]
    public void Only_yaml_files_are_read_and_a_near_miss_is_told()
    {
        using var root = new TempRoot()
            .Write($"{Etc}.d/.hidden.yaml", "mode: observe\n")
            .Write($"{Etc}.d/50-x.yaml~", "mode: observe\n")
            .Write($"{Etc}.d/README", "mode: observe\n")
            .Write($"{Etc}.d/50-x.yml", "mode: observe\n");
        var result = root.Load();
        Assert.Empty(result.Errors);
        Assert.Equal(DaemonMode.Apply, result.Settings.Mode);
        Assert.Equal(root[$"{Etc}.d/50-x.yml"], Assert.Single(result.Warnings).File);
    }

    [Fact]
    public void Errors_of_every_file_are_reported_overridden_ones_too()
    {
        using var root = new TempRoot()
            .Write(Etc, "mode: wrong\n")
            .Write($"{Etc}.d/1.yaml", "mode: apply\nfoo: 1\n")
            .Write($"{Etc}.d/2.yaml", "a: [\n");
        var result = root.Load();
        Assert.Equal(
            [(root[Etc], 1, "mode"), (root[$"{Etc}.d/1.yaml"], 2, "foo"), (root[$"{Etc}.d/2.yaml"], 2, "")],
            result.Errors.Select(e => (e.File, e.Line, e.Key)));
        Assert.Equal(DaemonMode.Observe, result.Settings.Mode);
    }

    [Fact]
    public void What_is_not_a_regular_file_is_an_error_and_blocks_nothing()
    {
        using var root = new TempRoot().Link($"{Etc}.d/3-dangling.yaml", "nowhere").Link($"{Etc}.d/4-zero.yaml", "/dev/zero");
        Directory.CreateDirectory(root[Etc]);
        Directory.CreateDirectory(root[$"{Etc}.d/1-directory.yaml"]);
        using (var mkfifo = Process.Start("mkfifo", root[$"{Etc}.d/2-fifo.yaml"]))
        {
            Assert.True(mkfifo.WaitForExit(10_000));
            Assert.Equal(0, mkfifo.ExitCode);
        }
        var result = root.Load();
        Assert.Equal(
            [Etc, $"{Etc}.d/1-directory.yaml", $"{Etc}.d/2-fifo.yaml", $"{Etc}.d/3-dangling.yaml", $"{Etc}.d/4-zero.yaml"],
            result.Errors.Select(e => e.File[root.Root.Prefix.Length..]));
        Assert.All(result.Errors, e => Assert.Equal((0, ""), (e.Line, e.Key)));
        Assert.Equal(DaemonMode.Observe, result.Settings.Mode);
    }

    [Fact]
    public void A_file_larger_than_the_bound_is_refused()
    {
        using var root = new TempRoot().Write(Etc, "# " + new string('x', YamlFragmentReader.MaxBytes));
        Assert.Contains("larger than 1 MiB", Assert.Single(root.Load().Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_in_place_of_the_drop_in_directory_is_reported()
    {
        using var root = new TempRoot().Write($"{Etc}.d", "not a directory");
        Assert.Equal(root[$"{Etc}.d"], Assert.Single(root.Load().Errors).File);
    }

    [Fact]
    public void Too_many_drop_ins_are_refused()
    {
        using var root = new TempRoot();
        for (var i = 0; i <= 256; i++)
            root.Write($"{Etc}.d/{i}.yaml", "mode: apply\n");
        Assert.Contains("more than 256", Assert.Single(root.Load().Errors).Message, StringComparison.Ordinal);
    }

    private static (string? File, int Line) Origin(ConfigResult result, string key)
    {
        var origin = result.Origins.Single(o => o.Key == key);
        return (origin.File, origin.Line);
    }

    [Theory]
    [InlineData(Etc, "0666", "has mode 0666")]
    [InlineData(Run, "0620", "has mode 0620")]
    [InlineData("/etc/livepatchd/livepatchd.yaml.d/10.yaml", "0606", "has mode 0606")]
    public void Load_FileThatOthersMayWrite_IsAnErrorAndNotRead(string path, string mode, string said)
    {
        using var root = new TempRoot().Write(path, "transition: {report-after: 77s}\n");
        File.SetUnixFileMode(root[path], (UnixFileMode)Convert.ToInt32(mode, 8));
        Refused(root, path, said);
    }

    [Theory]
    [InlineData(Etc, "/etc/livepatchd", "1777")]
    [InlineData(Etc, "/etc/livepatchd", "0775")]
    [InlineData("/run/livepatchd/livepatchd.yaml.d/10.yaml", "/run/livepatchd/livepatchd.yaml.d", "0777")]
    [InlineData("/run/livepatchd/livepatchd.yaml.d/10.yaml", "/run/livepatchd", "0777")]
    public void Load_DirectoryThatOthersMayWrite_IsAnErrorAndTheFileNotRead(string path, string directory, string mode)
    {
        using var root = new TempRoot().Write(path, "transition: {report-after: 77s}\n");
        File.SetUnixFileMode(root[directory], (UnixFileMode)Convert.ToInt32(mode, 8));
        Refused(root, path, $"has mode {mode}");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Load_OwnedBySomebodyElse_IsAnErrorAndNotRead(bool directory)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give files away");
        using var root = new TempRoot().Write(Etc, "transition: {report-after: 77s}\n");
        Assert.Equal(0, FakeRoot.chown(root[directory ? "/etc/livepatchd" : Etc], 65534, 65534));
        Refused(root, Etc, "owned by uid 65534");
    }

    [Fact]
    public void Load_LinkIntoADirectoryThatOthersMayWrite_IsAnErrorAndNotRead()
    {
        using var root = new TempRoot().Write("/srv/livepatchd.yaml", "transition: {report-after: 77s}\n");
        root.Link(Etc, root["/srv/livepatchd.yaml"]);
        Assert.Equal(Judged, root.Load().Settings.Transition.ReportAfter);
        File.SetUnixFileMode(root["/srv"], (UnixFileMode)Convert.ToInt32("1777", 8));
        Refused(root, Etc, "has mode 1777");
    }

    private static void Refused(TempRoot root, string path, string said)
    {
        var result = root.Load();
        var error = Assert.Single(result.Errors);
        Assert.Equal(root[path], error.File);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
        Assert.NotEqual(Judged, result.Settings.Transition.ReportAfter);
    }
}
