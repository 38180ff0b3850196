// Module files: the whole of one, its .modinfo, the build-id note, and the signature behind it.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Fuzz.Targets;

internal static class ModuleTargets
{
    private static readonly string[] Sections =
    [
        ".modinfo", ".gnu.linkonce.this_module", ".note.gnu.build-id", ".symtab", ".strtab", ".shstrtab", ".data", ".rela.data", ".text",
        ".kpatch.funcs", ".rela.kpatch.funcs", ".kpatch.strings", ".kpatch.callbacks.pre_patch", ".init.klp_objects", "__klp_objects",
        "klp_funcs", ".klp.rela.xfs..text", ".klp.sym.xfs.xfs_b,1", "klp_enable_patch", "__start_klp_objects", "__stop_klp_objects",
    ];

    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<ContentsResult>("elf", static input => ModuleReader.Read(input), Elf)
        {
            MaxLength = 256 << 10,
            Words = Words.Of(Sections),
            Made = ModuleSeeds.Images,
        },
        new Target<InspectResult>("elf-inspect", static input => ModuleInspector.Inspect(input, ElfMachine.X64), Inspect)
        {
            MaxLength = 256 << 10,
            Words = Words.Of(Sections),
            Made = ModuleSeeds.Images,
        },
        new Target<ContentsResult>("modinfo", static input => ModuleReader.Read(ModuleSeeds.WithModInfo(input)), Elf)
        {
            MaxLength = 64 << 10,
            Words = Words.Of("name=lp_one\0", "vermagic=6.1.0 SMP \0", "depends=", "livepatch=Y\0", "license=GPL\0", "srcversion=", "=", "\0", ",", "\u00ff"),
        },
        new Target<ModuleSignature?>("signature", static input => SignatureTrailer.Read(input), Signature)
        {
            Made = ModuleSeeds.Trailers,
            Words = Words.Of("~Module signature appended~\n", "\u0030\u0080", "\u0030\u0084\u00ff\u00ff\u00ff\u00ff", "\u0031\u0000", "\u00a0\u0080", "\u0006\u0009*\u0086H\u0086\u00f7\r\u0001\u0007\u0002"),
            Repair = ModuleSeeds.WithTrailer,
        },
        new Target<BuildId?>("build-id-note", static input => BuildIdNote.Parse(input), static (_, id) =>
        {
            Expect.That(id is not { } known || known.Hex.Length is >= 2 and <= 128 && BuildId.TryParse(known.Hex) == known, "a build id is 1 to 64 bytes");
            return id is null ? "none" : $"{id.Value.Hex.Length}";
        })
        {
            MaxLength = 4096,
            Words = Words.Of("GNU\0", "\u0004\0\0\0", "\u0014\0\0\0", "\u0003\0\0\0"),
            Made = [ModuleImage.Note("GNU\0"u8.ToArray(), 3, [1, 2, 3, 4]), [.. ModuleImage.Note("Linux\0"u8.ToArray(), 1, [9]), .. ModuleImage.Note("GNU\0"u8.ToArray(), 3, new byte[20])]],
        },
    ];

    private static string Elf(ReadOnlySpan<byte> input, ContentsResult result)
    {
        Expect.That((result.Contents is null) == (result.Reason is not null), "contents or a reason");
        Expect.OneLine(result.Detail, 256, "the detail");
        if (result.Contents is not { } module)
            return $"{result.Reason} {Digitless(result.Detail)}";
        Module(module.Info);
        Expect.That(module.Facts.Length <= 1_000, "at most 1,000 facts");
        foreach (var fact in module.Facts)
        {
            Expect.OneLine(fact.Key, 65, "a key of .modinfo");
            Expect.OneLine(fact.Value, 1025, "a value of .modinfo");
        }
        Expect.That(module.References.Sum(static r => r.Symbols.Length + r.Sections.Length) <= 10_000, "at most 10,000 references");
        foreach (var reference in module.References)
            Expect.OneLine(reference.Object, 55, "a referenced object");
        if (module.Patch is { } patch)
            Patch(input, module, patch);
        if (module.Signature is { } signature)
            Signature(input, signature);
        foreach (var note in module.Notes)
            Expect.OneLine(note, 256, "a note");
        return $"module {module.Patch?.Source} {Expect.Size(module.Patch?.FunctionCount ?? 0)} {module.Patch?.Replace} {module.Info.Depends.Length > 0} {module.Info.BuildId is null} "
            + $"{Expect.Size(module.References.Length)} {module.Signature?.Problem} {Digitless(string.Concat(module.Notes))}";
    }

    private static void Patch(ReadOnlySpan<byte> input, ModuleContents module, PatchTables patch)
    {
        Expect.That(module.Info.Livepatch, "only livepatches have patch tables");
        Expect.That(patch.FunctionCount <= 10_000 && patch.Objects.Length <= 1_000 && patch.States.Length <= 1_000, "tables stay within their bounds");
        foreach (var one in patch.Objects)
        {
            Expect.That(one.Name.Length is > 0 and <= 55, "an object's name has 1 to 55 characters");
            foreach (var function in one.Functions)
            {
                Expect.That(function.Name.Length is > 0 and <= 511, "a function's name has 1 to 511 characters");
                // Read inside of the file and nowhere else.
                Expect.That(input.IndexOf(Encoding.ASCII.GetBytes(function.Name)) >= 0, "a function's name is in the file");
            }
        }
    }

    private static string Inspect(ReadOnlySpan<byte> input, InspectResult result)
    {
        Expect.That((result.Module is null) == (result.Reason is not null), "a module or a reason");
        Expect.OneLine(result.Detail, 256, "the detail");
        if (result.Module is not { } module)
            return $"{result.Reason} {Digitless(result.Detail)}";
        Module(module);
        // Whoever reads all of it must agree that it is one.
        Expect.That(ModuleReader.Read(input).IsModule, "the reader takes what the inspector takes");
        return $"module {module.Livepatch} {module.Signed} {module.BuildId is null} {module.Depends.Length} {module.License is null} {module.SrcVersion is null}";
    }

    private static void Module(ModuleInfo module)
    {
        Expect.That(PatchName.TryParse(module.Name.Value) == module.Name, "the name is a module's");
        Expect.That(module.Vermagic.Length is > 0 and <= 256, "a vermagic has 1 to 256 characters");
        Expect.OneLine(module.Vermagic, 256, "the vermagic");
        Expect.OneLine(module.SrcVersion, 257, "the srcversion");
        Expect.OneLine(module.License, 257, "the license");
        Expect.That(module.Depends.Length <= 64 && module.Depends.All(static d => PatchName.TryParse(d) is not null), "dependencies are module names");
    }

    private static string Signature(ReadOnlySpan<byte> input, ModuleSignature? signature)
    {
        if (signature is null)
            return "unsigned";
        Expect.That((signature.Problem is null) == (signature.Signers.Length > 0), "signers or a problem");
        Expect.That(signature.Problem is not null || signature.Length + 40 <= input.Length, "a sound message lies within the file");
        Expect.That(signature.Signers.Length <= 8, "at most 8 signers");
        foreach (var signer in signature.Signers)
        {
            Expect.That(signer.KeyId is not null || signer is { Issuer: not null, Serial: not null }, "a signer has a key or a certificate");
            Expect.OneLine(signer.Issuer, 257, "the issuer");
            Expect.OneLine(signer.Serial, 128, "the serial");
            Expect.OneLine(signer.Digest, 256, "the digest");
            Expect.OneLine(signer.Algorithm, 256, "the algorithm");
        }
        return $"{signature.Problem} {signature.Signers.Length} {Kinds(signature.Signers)}";
    }

    private static string Kinds(ImmutableArray<ModuleSigner> signers) =>
        string.Join(' ', signers.Take(2).Select(static s => $"{s.KeyId is null} {(s.Digest.Contains('.', StringComparison.Ordinal) ? "?" : s.Digest)}"));

    internal static string Digitless(string text) => string.Concat(text.Where(static c => !char.IsAsciiDigit(c)));
}
