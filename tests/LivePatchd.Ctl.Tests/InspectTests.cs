// `inspect`: exact text, the document behind --json, and every file that it must not read, from the real process and without a bus.
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Tests.Store;

namespace LivePatchd.Ctl.Tests;

public sealed partial class InspectTests : IDisposable
{
    private const string NoBus = "unix:path=/nonexistent/bus";

    // 1 GiB would come out of a bomb; what is looked at before it is refused is a few MiB.
    private const long MaxGrowthKiB = 32 << 10;

    // Runs a command and tells on the last line how much memory it had at its peak.
    private const string Measure = """
        import resource, subprocess, sys
        code = subprocess.run(sys.argv[1:]).returncode
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
        sys.exit(code)
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("livepatchctl-inspect-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_hand_written_patch()
    {
        var image = HandWritten();
        var path = Write("lp_one.ko", image.Build());
        var size = new FileInfo(path).Length;
        Assert.Equal(
            $"""
            lp_one
                    File: lp_one.ko ({size} bytes)
               Livepatch: yes
                  Kernel: 6.1.0-test
                 Machine: x86-64 (64-bit little-endian ELF)
                Vermagic: 6.1.0-test SMP mod_unload
                Build ID: 0102030405060708090a0b0c0d0e0f1011121314
                 License: GPL
                 Depends: xfs, ext4
                 In tree: no
               Retpoline: yes
                 Modinfo: parm=a:b
               Signature: none
                  Source: hand-written (derived)
              Cumulative: yes
                 Objects: vmlinux (2 functions)
                          xfs (0 functions; callbacks pre_patch)
               Functions: vmlinux:cmdline_proc_show
                          vmlinux:s_show,2
              References: xfs:xfs_b,1
                          xfs: 2 relocations in .text

            """,
            Inspect("lp_one.ko").Succeeded().Output);
    }

    [Fact]
    public void The_document_of_a_hand_written_patch()
    {
        var image = HandWritten();
        Write("lp_one.ko", image.Build());
        var text = Inspect("lp_one.ko", "--json").Succeeded().Output;
        SchemaValidator.Validate("inspect.json", text);
        using var document = JsonDocument.Parse(text);
        var patch = document.RootElement.GetProperty("patch");
        Assert.Equal("hand-written (derived)", patch.GetProperty("source").GetString());
        Assert.True(patch.GetProperty("replace").GetBoolean());
        var objects = patch.GetProperty("objects");
        Assert.Equal(["vmlinux", "xfs"], objects.EnumerateArray().Select(static o => o.GetProperty("name").GetString()));
        Assert.Equal("s_show", objects[0].GetProperty("functions")[1].GetProperty("name").GetString());
        Assert.Equal(2, objects[0].GetProperty("functions")[1].GetProperty("sympos").GetInt32());
        Assert.Equal("pre_patch", objects[1].GetProperty("callbacks")[0].GetString());
        Assert.Equal("xfs_b", document.RootElement.GetProperty("references")[0].GetProperty("symbols")[0].GetProperty("name").GetString());
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("signature").ValueKind);
        Assert.Equal(0, document.RootElement.GetProperty("notes").GetArrayLength());
    }

    [Fact]
    public void A_patch_of_kpatch_build()
    {
        var image = new PatchImage();
        image.Kpatch(("vmlinux", "cmdline_proc_show", 0), ("nf_tables", "nft_do_chain", 1));
        Write("k.ko", image.Build());
        var output = Inspect("k.ko").Succeeded().Output;
        Assert.Contains("      Source: kpatch-build\n  Cumulative: only the module's code knows\n", output, StringComparison.Ordinal);
        Assert.Contains("   Functions: vmlinux:cmdline_proc_show\n              nf_tables:nft_do_chain,1\n", output, StringComparison.Ordinal);
        SchemaValidator.Validate("inspect.json", Inspect("k.ko", "--json").Succeeded().Output);
    }

    [Fact]
    public void A_patch_of_klp_build()
    {
        var image = new PatchImage();
        image.KlpBuild(".init.klp_objects", (null, [("cmdline_proc_show", 0)]));
        Write("k.ko", image.Build());
        Assert.Contains("      Source: klp-build\n", Inspect("k.ko").Succeeded().Output, StringComparison.Ordinal);
        SchemaValidator.Validate("inspect.json", Inspect("k.ko", "--json").Succeeded().Output);
    }

    [Fact]
    public void What_cannot_be_told_is_noted()
    {
        Write("k.ko", new PatchImage().Build());
        var output = Inspect("k.ko").Succeeded().Output;
        Assert.Contains("      Source: not known\n", output, StringComparison.Ordinal);
        Assert.Contains("        Note: Which functions the patch replaces cannot be told from the file:\n", output, StringComparison.Ordinal);
        var json = Inspect("k.ko", "--json").Succeeded().Output;
        SchemaValidator.Validate("inspect.json", json);
        Assert.Contains("\"patch\": null", json, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_that_is_no_livepatch_is_shown_too()
    {
        Write("m.ko", new PatchImage { ModInfo = ["vermagic=6.1 ", "intree=Y"] }.Build());
        var output = Inspect("m.ko").Succeeded().Output;
        Assert.Contains("   Livepatch: no\n", output, StringComparison.Ordinal);
        Assert.Contains("     In tree: yes\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Source:", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_signature_is_named()
    {
        Write("s.ko", new PatchImage { ModInfo = ["vermagic=6.1 "], Tail = PatchImage.Trailer(new byte[40]) }.Build());
        Assert.Contains("   Signature: damaged: its PKCS#7 message makes no sense\n", Inspect("s.ko").Succeeded().Output, StringComparison.Ordinal);
        SchemaValidator.Validate("inspect.json", Inspect("s.ko", "--json").Succeeded().Output);
    }

    [Fact]
    public void Everything_fits_80_columns_and_nothing_escapes()
    {
        var longest = new string('f', 511);
        var image = new PatchImage
        {
            ModInfo = ["license=GPL", "livepatch=Y", $"description={new string('d', 400)} \e[31m\u202e", "vermagic=6.1.0-test SMP ", $"depends={string.Join(',', Enumerable.Repeat(new string('m', 55), 9))}"],
        };
        image.HandWritten(replace: false, (new string('o', 55), [(longest, 4_000_000_000)]));
        image.Symbol($".klp.sym.{new string('o', 55)}.{longest},1", PatchImage.Livepatch, 0, 0);
        Write("long.ko", image.Build());
        var run = Inspect("long.ko").Succeeded();
        Assert.All(run.Lines, static line => Assert.InRange(line.Length, 1, 80));
        Assert.DoesNotContain(run.Output, static c => c is < ' ' and not '\n' or '\u202e');
        Assert.Contains(longest, string.Concat(run.Lines.Select(static l => l.Trim())), StringComparison.Ordinal);
        SchemaValidator.Validate("inspect.json", Inspect("long.ko", "--json").Succeeded().Output);
    }

    [Theory]
    [InlineData("xz")]
    [InlineData("zstd")]
    [InlineData("gzip")]
    public void A_compressed_file_is_looked_into(string kind)
    {
        var image = HandWritten().Build();
        var packed = Packed(kind, image);
        Write("lp_one.ko", image);
        // Whatever it is called.
        Write("lp_one.ko.z", packed);
        var plain = Inspect("lp_one.ko").Succeeded().Output;
        Assert.Equal(
            plain.Replace($"lp_one.ko ({image.Length} bytes)", $"lp_one.ko.z ({packed.Length} bytes, {image.Length} without {kind})", StringComparison.Ordinal),
            Inspect("lp_one.ko.z").Succeeded().Output);
        var text = Inspect("lp_one.ko.z", "--json").Succeeded().Output;
        SchemaValidator.Validate("inspect.json", text);
        using var document = JsonDocument.Parse(text);
        Assert.Equal(kind, document.RootElement.GetProperty("compression").GetString());
        Assert.Equal(packed.Length, document.RootElement.GetProperty("size").GetInt32());
        Assert.Equal(image.Length, document.RootElement.GetProperty("module_size").GetInt32());
        Assert.Equal("lp_one", document.RootElement.GetProperty("name").GetString());
        using var uncompressed = JsonDocument.Parse(Inspect("lp_one.ko", "--json").Succeeded().Output);
        Assert.Equal(JsonValueKind.Null, uncompressed.RootElement.GetProperty("compression").ValueKind);
        Assert.Equal(image.Length, uncompressed.RootElement.GetProperty("module_size").GetInt32());
    }

    [Theory]
    [InlineData("xz", "corrupt-compression: ", "; fetch or compress the file again\n")]
    [InlineData("zstd", "corrupt-compression: ", "; fetch or compress the file again\n")]
    [InlineData("gzip", "corrupt-compression: ", "; fetch or compress the file again\n")]
    public void What_is_cut_or_no_module_once_decompressed_is_refused_with_a_reason(string kind, string reason, string next)
    {
        Write("half.ko.z", Packed(kind, HandWritten().Build())[..^100]);
        Inspect("half.ko.z").Failed(1, reason, next);
        Write("text.ko.z", Packed(kind, "hello"u8.ToArray()));
        Inspect("text.ko.z", "--json").Failed(1, "not-an-elf-file: ");
    }

    [Theory]
    [InlineData("xz")]
    [InlineData("zstd")]
    [InlineData("gzip")]
    public void A_bomb_is_refused_in_little_memory(string kind)
    {
        Write("bomb.ko.z", kind switch { "xz" => Compressed.XzBomb(), "zstd" => Compressed.ZstdBomb(), _ => Compressed.GzipBomb() });
        Write("lp_one.ko.z", Packed(kind, HandWritten().Build()));
        var (ordinary, warm) = Measured("lp_one.ko.z");
        ordinary.Succeeded();
        var (bomb, peak) = Measured("bomb.ko.z");
        bomb.Failed(1, "decompressed-too-large: ", "100 times its compressed size");
        Assert.True(peak - warm <= MaxGrowthKiB, $"{peak} KiB for a bomb, {warm} KiB for a module");
    }

    [Fact]
    public void What_is_no_module_is_refused_with_a_reason()
    {
        Write("text.ko", "hello"u8.ToArray());
        Inspect("text.ko").Failed(1, "inspect text.ko: not-an-elf-file: The file is not a 64-bit ELF relocatable object (no ELF header); ");
        Write("half.ko", new PatchImage().Build()[..500]);
        Inspect("half.ko", "--json").Failed(1, "truncated-file: The ELF file refers to bytes beyond its end (");
        Write("odd.ko", new ModuleImage { StructName = "" }.Build());
        Inspect("odd.ko").Failed(1, "malformed-module: ", "(.gnu.linkonce.this_module holds no module name); build the module again\n");
        Write("empty.ko", []);
        Inspect("empty.ko").Failed(1, "file-too-large: ", "(it is empty)");
        Inspect("none.ko").Failed(1, "unreadable-file: ", "(no such file); check the path and its permissions\n");
        Inspect("a\n\e[31m.ko").Failed(1, "inspect a??[31m.ko: unreadable-file: ");
    }

    [Fact]
    public void A_sparse_giant_is_refused_by_its_size()
    {
        using (var giant = File.Create(Path.Combine(_directory, "giant.ko")))
            giant.SetLength(1L << 40);
        Inspect("giant.ko").Failed(1, "file-too-large: ", "(it has 1099511627776 bytes)");
    }

    [Fact]
    public void What_is_no_regular_file_is_refused_without_waiting()
    {
        Assert.Equal(0, mkfifo(Path.Combine(_directory, "fifo.ko"), 0x180));
        Inspect("fifo.ko").Failed(1, "not-a-regular-file: ", "(a FIFO); name the module itself\n");
        Inspect(".").Failed(1, "not-a-regular-file: ", "(a directory)");
        Inspect("/dev/null").Failed(1, "not-a-regular-file: ", "(a device)");
        Inspect("/dev/zero").Failed(1, "not-a-regular-file: ", "(a device)");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(_directory, "socket.ko")));
        Inspect("socket.ko").Failed(1, "not-a-regular-file: ", "(a socket or device)");
    }

    [Fact]
    public void A_link_to_a_module_is_followed()
    {
        Write("lp_one.ko", HandWritten().Build());
        File.CreateSymbolicLink(Path.Combine(_directory, "link.ko"), "lp_one.ko");
        Assert.StartsWith("lp_one\n        File: link.ko (", Inspect("link.ko").Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_line_without_a_file_is_2()
    {
        Inspect().Failed(2, "livepatchctl: inspect: ", "; livepatchctl inspect --help\n");
        Inspect("one", "two").Failed(2, "'two' does not belong here");
    }

    private static PatchImage HandWritten()
    {
        var image = new PatchImage
        {
            ModInfo = ["license=GPL", "livepatch=Y", "depends=xfs,ext4", "retpoline=Y", "name=lp_one", "parm=a:b", "vermagic=6.1.0-test SMP mod_unload "],
        };
        var patch = image.HandWritten(replace: true, (null, [("cmdline_proc_show", 0), ("s_show", 2)]), ("xfs", []));
        image.Point(PatchImage.Data, patch + 200 + 168 + 16, PatchImage.Code);
        image.Symbol(".klp.sym.xfs.xfs_b,1", PatchImage.Livepatch, 0, 0);
        image.Extra.Add(new ImageSection(".klp.rela.xfs..text", 4, new byte[48]));
        return image;
    }

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] Packed(string kind, byte[] image) => kind switch
    {
        "xz" => Compressed.Xz(image),
        "zstd" => Compressed.Zstd(image),
        _ => Compressed.Gzip(image),
    };

    private (CtlResult Run, long PeakKiB) Measured(string file)
    {
        var run = Run(["python3", "-c", Measure, .. Ctl.CommandLine, "inspect", file]);
        return (run, long.Parse(run.Lines[^1], CultureInfo.InvariantCulture));
    }

    private CtlResult Inspect(params string[] arguments) => Run([.. Ctl.CommandLine, "inspect", .. arguments]);

    private CtlResult Run(string[] command)
    {
        var info = Ctl.Info(command, NoBus);
        info.WorkingDirectory = _directory;
        using var running = new RunningCtl(Ctl.Launch(info));
        return running.End().GetAwaiter().GetResult();
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);
}
