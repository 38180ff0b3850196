// Module images and signatures to begin with: of every producer, for two machines, and large ones.
using System.Buffers.Binary;
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Fuzz.Targets;

internal static class ModuleSeeds
{
    // Made by `openssl cms -sign -binary -nocerts -noattr` with P-256 keys of no use to anybody.
    private static readonly byte[] ByIssuer = Convert.FromBase64String(
        "MIIBDAYJKoZIhvcNAQcCoIH+MIH7AgEBMQ0wCwYJYIZIAWUDBAIDMAsGCSqGSIb3DQEHATGB2TCB1gIBATBvMGIxFDASBgNVBAoMC0V4YW1wbGUgT3JnMSwwKgYDVQQDDCNCdWlsZCB0aW1lIGF1dG9nZW5lcmF0ZWQga2VybmVsIGtleTEcMBoGCSqGSIb3DQEJARYNYUBleGFtcGxlLm9yZwIJD+3LqYdlQyEAMAsGCWCGSAFlAwQCAzAKBggqhkjOPQQDBARHMEUCIQCwanXdwre2byVSGP98M6M8ToRq48o6AkXEfxQPg+yEhQIgTPwOLMwRwrTRyVxa77iZtjN5upA/S+OvpdWg/v10zbI=");

    private static readonly byte[] ByKeyId = Convert.FromBase64String(
        "MIGvBgkqhkiG9w0BBwKggaEwgZ4CAQMxDTALBglghkgBZQMEAgEwCwYJKoZIhvcNAQcBMX0wewIBA4AUhTI7G4QOJIu3Pgy5npFC+zRiyGUwCwYJYIZIAWUDBAIBMAoGCCqGSM49BAMCBEcwRQIhAMmHhJOElkzBjHPsQhJe3jvlrl/KodrQEEhk6LLLOsUGAiBUjFthBn8vl459SwHmHU4ULyztPljiVOFK6dALiJSZPA==");

    private static readonly byte[] Marker = "~Module signature appended~\n"u8.ToArray();

    public static IReadOnlyList<byte[]> Images { get; } =
    [
        new ModuleImage().Build(),
        HandWritten(62),
        HandWritten(183),
        Kpatch(62),
        Kpatch(183),
        KlpBuild("__klp_objects", withBounds: true),
        KlpBuild(".init.klp_objects", withBounds: false),
        Wide(),
    ];

    public static IReadOnlyList<byte[]> Trailers { get; } =
        [PatchImage.Trailer(ByIssuer), PatchImage.Trailer(ByKeyId), PatchImage.Trailer([]), [.. new ModuleImage().Build(), .. PatchImage.Trailer(ByIssuer)]];

    public static byte[] WithModInfo(ReadOnlySpan<byte> modinfo) =>
        new ModuleImage { Without = [".modinfo"], Extra = [(".modinfo", 1, modinfo.ToArray())] }.Build();

    /// <summary>The marker at the end, and a description whose length is the message's: else hardly any mutation would be looked into.</summary>
    public static byte[] WithTrailer(byte[] input)
    {
        var end = input.AsSpan().LastIndexOf(Marker);
        var message = end < 12 ? input : input[..(end - 12)];
        var start = message.AsSpan().IndexOf((byte)0x30);
        var descriptor = new byte[12];
        descriptor[2] = 2;
        BinaryPrimitives.WriteInt32BigEndian(descriptor.AsSpan(8), start < 0 ? message.Length : message.Length - start);
        return [.. message, .. descriptor, .. Marker];
    }

    private static byte[] HandWritten(ushort machine)
    {
        var image = new PatchImage { Machine = machine, Tail = PatchImage.Trailer(ByIssuer) };
        image.HandWritten(replace: true, (null, [("cmdline_proc_show", 0), ("s_show", 2)]), ("nf_tables", []), ("xfs", [("xfs_a", 1)]));
        image.Symbol(".klp.sym.xfs.xfs_b,1", PatchImage.Livepatch, 0, 0);
        image.Extra.Add(new ImageSection(".klp.rela.xfs..text", 4, new byte[24]));
        return image.Build();
    }

    private static byte[] Kpatch(ushort machine)
    {
        var image = new PatchImage { Machine = machine };
        image.Kpatch(("vmlinux", "cmdline_proc_show", 0), ("xfs", "xfs_a", 1));
        image.KpatchCallback("pre_patch", "xfs");
        image.KpatchCallback("post_patch");
        return image.Build();
    }

    private static byte[] KlpBuild(string section, bool withBounds)
    {
        var image = new PatchImage();
        image.KlpBuild(section, (null, [("cmdline_proc_show", 0), ("s_show", 2)]), ("xfs", [("xfs_a", 1)]));
        if (withBounds)
        {
            image.Symbol("__start_klp_objects", image.IndexOf(section), 0, 0);
            image.Symbol("__stop_klp_objects", image.IndexOf(section), 128, 0);
        }
        return image.Build();
    }

    // Many of everything: what is slow for each shows.
    private static byte[] Wide()
    {
        var image = new PatchImage();
        image.HandWritten(replace: false, [.. Enumerable.Range(0, 40).Select(static i => ((string?)$"m{i}", new[] { ($"f{i}", 0ul), ($"g{i}", 1ul) }))]);
        for (var i = 0; i < 100; i++)
            image.Symbol($".klp.sym.xfs.s{i},0", PatchImage.Livepatch, 0, 0);
        return image.Build();
    }
}
