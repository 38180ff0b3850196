// `readiness`: what a reboot would lose, from files in a root of the test's own and the fake daemon's facts.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Tests.Store;

namespace LivePatchd.Ctl.Tests;

public sealed class ReadinessTests : CtlTest
{
    private const string Next = "6.12.0-14-amd64";
    private const string Patches = "/var/lib/livepatchd/patches";
    private const string Cve = "CVE-2026-1234";

    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 1, TimeSpan.Zero);

    private readonly string _root = Directory.CreateTempSubdirectory("livepatchctl-ready-").FullName;

    public ReadinessTests()
    {
        Write($"/lib/modules/{FakeDaemon.Kernel}/modules.dep", "");
        Write($"/lib/modules/{Next}/vmlinuz", "");
        Write($"/lib/modules/6.1.0-left-behind/extra/x.ko", "");
        Directory.CreateDirectory($"{_root}/lib/modules/6.11.0-boot");
        Write("/boot/vmlinuz-6.11.0-boot", "");
    }

    [Fact]
    public void A_kernel_without_its_patch_loses_the_fix()
    {
        Serve(InForce());
        Patch(FakeDaemon.Kernel, "lp_x", [Cve]);
        Patch(Next, "lp_x", [Cve]);
        var run = Readiness();
        Assert.Equal((3, ""), (run.ExitCode, run.Error));
        Assert.Equal(
            """
            KERNEL                     PATCHES  LOST
            6.12.0-13-amd64 (running)  1 ready  nothing
            6.11.0-boot                none     CVE-2026-1234
            6.12.0-14-amd64            1 ready  nothing

            6.11.0-boot
                  Lost: CVE-2026-1234, fixed now by lp_x 1.2

             Fixed now: CVE-2026-1234 (lp_x 1.2)
             Looked in: /var/lib/livepatchd/patches
                  Note: Lost is what no patch for that kernel names. Whether that kernel has
                        the fix itself, and whether it would take the patches (signatures,
                        symbols), is not known here.

            """,
            run.Output);
        Assert.Equal(0, Readiness(Next).ExitCode);
        Assert.Equal(0, Readiness(FakeDaemon.Kernel).ExitCode);
        Assert.Equal(3, Readiness("6.11.0-boot").ExitCode);
    }

    [Fact]
    public void What_is_no_kernel_is_4()
    {
        Serve();
        foreach (var release in (string[])["6.1.0-left-behind", "5.0", "../x"])
            Readiness(release).Failed(4, $"livepatchctl: readiness {release}: no such kernel is installed; ls /lib/modules");
        Directory.Delete($"{_root}/lib", recursive: true);
        Assert.Equal(0, Readiness().ExitCode);
    }

    [Fact]
    public void The_same_in_json()
    {
        Serve(InForce());
        Patch(Next, "lp_x", ["CVE-2026-2000"]);
        var run = Readiness("--json", Next);
        Assert.Equal(3, run.ExitCode);
        SchemaValidator.Validate("readiness.json", run.Output);
        using var readiness = JsonDocument.Parse(run.Output);
        Assert.Equal("wanting", readiness.RootElement.GetProperty("result").GetString());
        var kernel = Assert.Single(readiness.RootElement.GetProperty("kernels").EnumerateArray());
        Assert.Equal([Cve], kernel.GetProperty("lost").EnumerateArray().Select(static c => c.GetString()));
        var file = Assert.Single(kernel.GetProperty("files").EnumerateArray());
        Assert.Equal(($"{Patches}/{Next}/lp_x.ko", "ready"), (file.GetProperty("file").GetString(), file.GetProperty("standing").GetString()));
    }

    [Theory]
    [InlineData("held", "daemon", "match")]
    [InlineData("foreign", "foreign", "unknown")]
    [InlineData("active", "daemon", "differs")]
    public void Only_what_is_in_force_can_be_lost(string state, string origin, string identity)
    {
        var patch = InForce();
        (patch.State, patch.Origin, patch.Identity) = (state, origin, identity);
        Serve(patch);
        Assert.Equal(0, Readiness().ExitCode);
    }

    [Fact]
    public void APatchThatNamesNoCve_IsCountedByItsName()
    {
        Serve(new FakePatch { Name = "lp_x", Identity = "match", LoadedSince = Then });
        var run = Readiness("--json", Next);
        Assert.Equal(3, run.ExitCode);
        SchemaValidator.Validate("readiness.json", run.Output);
        using (var document = JsonDocument.Parse(run.Output))
            Assert.Equal("lp_x", document.RootElement.GetProperty("kernels")[0].GetProperty("lost_patches")[0].GetString());
        Assert.Contains("lp_x, in force now; it names no CVE", Readiness(Next).Output, StringComparison.Ordinal);
        // A build for that kernel may have another name.
        Write($"{Patches}/{Next}/lp_y.ko", Module("lp_y", Next));
        Assert.Contains("lp_x?", Readiness(Next).Output, StringComparison.Ordinal);
        Write($"{Patches}/{Next}/lp_x.ko", Module("lp_x", Next));
        Assert.Equal(0, Readiness(Next).ExitCode);
    }

    [Fact]
    public void A_manifest_that_names_cves_for_any_bytes_covers_nothing()
    {
        Serve(InForce());
        Write($"{Patches}/{Next}/lp_x.ko", Module("lp_x", Next));
        Write($"{Patches}/{Next}/lp_x.yaml", $"cves: [{Cve}]\n");
        Assert.Equal([("lp_x.ko", "refused", "invalid-manifest")], Files(Readiness("--json", Next)));
    }

    [Fact]
    public void A_file_that_would_not_be_loaded_covers_nothing_and_is_named_with_its_reason()
    {
        Serve(InForce());
        Patch(Next, "lp_other", [Cve], release: "6.1.0-old");
        Patch(Next, "lp_text", [Cve], module: "hello"u8.ToArray());
        Patch(Next, "lp_plain", [Cve], module: Module("lp_plain", Next, livepatch: false));
        Patch(Next, "lp_broken", [Cve], manifest: "cvez: [x]\n");
        Patch(Next, "lp_mine", [Cve], manifest: $"name: lp_yours\ncves: [{Cve}]\n");
        Patch(Next, "lp_pinned", [Cve], manifest: $"sha256: {Digest}\ncves: [{Cve}]\n");
        Patch(Next, "lp_late", [Cve], manifest: $"not-after: 2020-01-01T00:00:00Z\ncves: [{Cve}]\n");
        File.CreateSymbolicLink($"{_root}{Patches}/{Next}/lp_link.ko", "lp_other.ko");
        Write($"{Patches}/{Next}/.lp_hidden.ko", "half");
        var run = Readiness("--json", Next);
        Assert.Equal(3, run.ExitCode);
        SchemaValidator.Validate("readiness.json", run.Output);
        Assert.Equal(
            [
                ("lp_broken.ko", "invalid-manifest"), ("lp_late.ko", "expired"), ("lp_link.ko", "not-a-regular-file"), ("lp_mine.ko", "manifest-mismatch"), ("lp_other.ko", "wrong-kernel"),
                ("lp_pinned.ko", "manifest-mismatch"), ("lp_plain.ko", "not-a-livepatch"), ("lp_text.ko", "not-an-elf-file"),
            ],
            Files(run).Select(static f => (f.Name, f.Reason)));
        Assert.All(Files(run), static f => Assert.Equal("refused", f.Standing));
        var text = Readiness(Next);
        Assert.Contains("8 refused  CVE-2026-1234\n", text.Output, StringComparison.Ordinal);
        Assert.Contains("lp_other.ko (wrong-kernel): built for 6.1.0-old\n", text.Output, StringComparison.Ordinal);
        Assert.All(text.Lines, static line => Assert.InRange(line.Length, 1, 80));
    }

    [Fact]
    public void Two_builds_of_one_name_are_none()
    {
        Serve(InForce()).Directories = [Patches, "/var/lib/kpatch"];
        Patch(Next, "lp_x", [Cve]);
        Write($"/var/lib/kpatch/{Next}/lp_x.ko", Encoding.Latin1.GetString(Module("lp_x", Next)) + "more");
        Assert.Equal([("lp_x.ko", "refused", "duplicate-name"), ("lp_x.ko", "refused", "duplicate-name")], Files(Readiness("--json", Next)));
    }

    [Fact]
    public void What_outlives_a_reboot_keeps_a_patch_out()
    {
        Serve(InForce());
        var at = new Instant(TimeSpan.FromHours(1), Then);
        var quarantined = Patch(Next, "lp_x", [Cve]);
        var denied = Patch(Next, "lp_denied", []);
        Patch(Next, "lp_reverted", []);
        var superseded = Patch(Next, "lp_old", []);
        var successor = Patch(Next, "lp_new", []);
        var widowed = Patch(Next, "lp_older", []);
        Journal(
            new JournalRecord(RecordKind.Quarantined, PatchName.Parse("lp_x"), "boot", at, quarantined, Reason: Reason.KernelOops),
            new JournalRecord(RecordKind.OperatorReverted, PatchName.Parse("lp_reverted"), "boot", at),
            new JournalRecord(RecordKind.Superseded, PatchName.Parse("lp_old"), "boot", at, superseded) { By = PatchName.Parse("lp_new"), ByDigest = successor },
            new JournalRecord(RecordKind.Superseded, PatchName.Parse("lp_older"), "boot", at, widowed) { By = PatchName.Parse("lp_gone"), ByDigest = successor });
        Write($"/etc/livepatchd/deny.d/{denied}", "");
        var run = Readiness("--json", Next);
        Assert.Equal(3, run.ExitCode);
        Assert.Equal(
            [
                ("lp_denied.ko", "kept-out", "denied"), ("lp_new.ko", "ready", null), ("lp_old.ko", "kept-out", "replaced-by-newer"), ("lp_older.ko", "ready", null),
                ("lp_reverted.ko", "kept-out", "reverted-by-operator"), ("lp_x.ko", "kept-out", "kernel-oops"),
            ],
            Files(run));
    }

    [Theory]
    [InlineData("xz")]
    [InlineData("zst")]
    [InlineData("gz")]
    public void A_compressed_module_is_looked_into(string ending)
    {
        Serve(InForce());
        var image = Module("lp_x", Next);
        Write($"{Patches}/{Next}/lp_x.yaml", $"cves: [{Cve}]\nname: lp_x\nsha256: {Sha256.FromBytes(SHA256.HashData(Packed(ending, image)))}\n");
        Write($"{Patches}/{Next}/lp_x.ko.{ending}", Packed(ending, image));
        var run = Readiness("--json", Next);
        Assert.Equal(0, run.ExitCode);
        SchemaValidator.Validate("readiness.json", run.Output);
        Assert.Equal([($"lp_x.ko.{ending}", "ready", null)], Files(run));

        // A denial of what is in it counts as one of the file.
        Write($"/etc/livepatchd/deny.d/{Sha256.FromBytes(SHA256.HashData(image))}", "");
        Assert.Equal([($"lp_x.ko.{ending}", "kept-out", "denied")], Files(Readiness("--json", Next)));
    }

    [Fact]
    public void A_compressed_file_that_the_daemon_would_not_take_covers_nothing()
    {
        Serve(InForce());
        (string File, byte[] Bytes)[] bad =
        [
            ("lp_bomb.ko.zst", Compressed.ZstdBomb()), ("lp_cut.ko.xz", Packed("xz", Module("lp_cut", Next))[..^50]), ("lp_kernel.ko.gz", Packed("gz", Module("lp_kernel", "6.1.0-old"))),
            ("lp_named.ko.xz", Packed("zst", Module("lp_named", Next))), ("lp_plain.ko", Packed("gz", Module("lp_plain", Next))),
        ];
        foreach (var (file, bytes) in bad)
        {
            Write($"{Patches}/{Next}/{file}", bytes);
            Write($"{Patches}/{Next}/{file.Split('.')[0]}.yaml", $"cves: [{Cve}]\nsha256: {Sha256.FromBytes(SHA256.HashData(bytes))}\n");
        }
        var run = Readiness("--json", Next);
        Assert.Equal(3, run.ExitCode);
        Assert.Equal(
            [
                ("lp_bomb.ko.zst", "refused", "decompressed-too-large"), ("lp_cut.ko.xz", "refused", "corrupt-compression"), ("lp_kernel.ko.gz", "refused", "wrong-kernel"),
                ("lp_named.ko.xz", "refused", "corrupt-compression"), ("lp_plain.ko", "refused", "not-an-elf-file"),
            ],
            Files(run));
    }

    [Fact]
    public void What_may_be_taken_out_is_not_sure()
    {
        Serve(InForce());
        Patch(Next, "lp_x", [Cve]);
        Assert.Equal(0, Readiness(Next).ExitCode);
        Patch(Next, "lp_stacked", []);
        Assert.Equal(0, Readiness(Next).ExitCode);
        Patch(Next, "lp_cumulative", [], module: Module("lp_cumulative", Next, replace: true));
        Assert.Contains("3 ready  CVE-2026-1234?\n", Readiness(Next).Output, StringComparison.Ordinal);
        Patch(Next, "lp_cumulative", [Cve], module: Module("lp_cumulative", Next, replace: true));
        Assert.Equal(0, Readiness(Next).ExitCode);
    }

    [Fact]
    public void A_daemon_that_only_observes_would_load_nothing()
    {
        var daemon = Serve(InForce());
        (daemon.State, daemon.Reason) = ("observing", "disabled");
        Patch(Next, "lp_x", [Cve]);
        var run = Readiness(Next);
        Assert.Equal(3, run.ExitCode);
        Assert.Contains("CVE-2026-1234?\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("livepatchd is observing (disabled): while that is so it loads nothing", OnOneLine(run), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_daemon_it_says_what_it_cannot_know()
    {
        Write("/proc/sys/kernel/osrelease", FakeDaemon.Kernel + "\n");
        Patch(Next, "lp_x", [Cve]);
        var run = Readiness();
        Assert.Equal((69, "livepatchctl: readiness: livepatchd is not running; by the files alone:\n"), (run.ExitCode, run.Error));
        Assert.Contains("6.12.0-14-amd64            1 ready  not known\n", run.Output, StringComparison.Ordinal);
        Assert.Contains("Not known: what is fixed now, and which directories are configured\n", run.Output, StringComparison.Ordinal);
        var json = Readiness("--json");
        Assert.Equal(69, json.ExitCode);
        SchemaValidator.Validate("readiness.json", json.Output);
        using var readiness = JsonDocument.Parse(json.Output);
        Assert.All(readiness.RootElement.GetProperty("kernels").EnumerateArray(), static k => Assert.Equal(JsonValueKind.Null, k.GetProperty("lost").ValueKind));
    }

    [Fact]
    public void A_directory_that_cannot_be_read_is_no_empty_one()
    {
        Serve(InForce());
        Directory.CreateDirectory($"{_root}{Patches}");
        // Nobody can read this one, not even root.
        Write($"{Patches}/{Next}", "not a directory");
        var run = Readiness("--json", Next);
        Assert.Equal(77, run.ExitCode);
        SchemaValidator.Validate("readiness.json", run.Output);
        Assert.Contains("not readable", Readiness(Next).Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_journal_is_told()
    {
        Serve(InForce());
        Write("/var/lib/livepatchd/state/journal", "something else\n");
        Assert.Contains("what is quarantined or reverted: /var/lib/livepatchd/state/journal: not a journal of version 1", OnOneLine(Readiness(Next)), StringComparison.Ordinal);
    }

    private static string OnOneLine(CtlResult run) => string.Join(' ', run.Output.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    private static FakePatch InForce() => new() { Name = "lp_x", Version = "1.2", Cves = [Cve], Identity = "match", LoadedSince = Then };

    private static byte[] Module(string name, string release, bool livepatch = true, bool replace = false)
    {
        var image = new PatchImage { StructName = name, ModInfo = ["license=GPL", $"name={name}", $"vermagic={release} SMP mod_unload ", .. livepatch ? ["livepatch=Y"] : Array.Empty<string>()] };
        image.HandWritten(replace, (null, [("cmdline_proc_show", 0)]));
        return image.Build();
    }

    private static List<(string Name, string Standing, string? Reason)> Files(CtlResult run)
    {
        using var document = JsonDocument.Parse(run.Output);
        return
        [
            .. document.RootElement.GetProperty("kernels")[0].GetProperty("files").EnumerateArray()
                .Select(static f => (Path.GetFileName(f.GetProperty("file").GetString()!), f.GetProperty("standing").GetString()!, f.GetProperty("reason").GetString())),
        ];
    }

    private Sha256 Patch(string kernel, string name, string[] cves, string? release = null, byte[]? module = null, string? manifest = null)
    {
        var bytes = module ?? Module(name, release ?? kernel);
        Write($"{Patches}/{kernel}/{name}.ko", Encoding.Latin1.GetString(bytes));
        var digest = Sha256.FromBytes(SHA256.HashData(Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(bytes))));
        manifest ??= $"cves: [{string.Join(", ", cves)}]\n";
        Write($"{Patches}/{kernel}/{name}.yaml", manifest.Contains("sha256", StringComparison.Ordinal) ? manifest : $"{manifest}sha256: {digest}\n");
        return digest;
    }

    private void Journal(params JournalRecord[] records) => Write(
        "/var/lib/livepatchd/state/journal",
        JournalCodec.VersionLine + string.Concat(records.Select(static r => Encoding.Latin1.GetString(JournalCodec.Encode(r)))));

    private static byte[] Packed(string ending, byte[] image) => ending switch
    {
        "xz" => Compressed.Xz(image),
        "zst" => Compressed.Zstd(image),
        _ => Compressed.Gzip(image),
    };

    private void Write(string path, string content) => Write(path, Encoding.Latin1.GetBytes(content));

    private void Write(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root + path)!);
        File.WriteAllBytes(_root + path, content);
    }

    private CtlResult Readiness(params string[] arguments) => Run(["readiness", .. arguments, "--root", _root]);
}
