// A module file's contents for people, within the width of the terminal.
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Ctl.Files;

namespace LivePatchd.Ctl.Output;

internal static class ModuleText
{
    private const int MaxListed = 20;
    private const int LabelWidth = 12;
    private const string More = "; --json shows all";

    // These have a line of their own.
    private static readonly string[] Named = ["livepatch", "name", "vermagic", "depends", "srcversion", "license", "version", "intree", "retpoline", "description"];

    public static void Print(Terminal terminal, string path, FileSize size, ModuleContents module)
    {
        terminal.Out.WriteLine(Paint.Strong.On(TextOf.Clean(module.Info.Name.Value), terminal.HasColour));
        var facts = new Facts(terminal, LabelWidth);
        string Fit(string text) => Broken(text, terminal.Columns - LabelWidth - 2);
        void Add(string label, string? value, Paint paint = Paint.None) => facts.Add(label, value is null ? null : Fit(TextOf.Clean(value)), paint);
        void AddList(string label, IEnumerable<string> values, int limit) => facts.AddList(label, [.. values.Select(v => Fit(TextOf.Clean(v)))], limit, More);

        Add("File", $"{path} ({size})");
        Add("Livepatch", module.Info.Livepatch ? "yes" : "no");
        Add("Kernel", module.Info.KernelRelease);
        Add("Machine", $"{ElfMachine.Name(module.Machine)} (64-bit little-endian ELF)");
        Add("Vermagic", module.Info.Vermagic);
        Add("Build ID", module.Info.BuildId?.Hex);
        Add("Srcversion", module.Fact("srcversion"));
        Add("Version", module.Fact("version"));
        Add("License", module.Fact("license"));
        Add("Description", module.Fact("description"));
        Add("Depends", string.Join(", ", module.Info.Depends));
        Add("In tree", module.Fact("intree") is null ? "no" : "yes");
        Add("Retpoline", module.Fact("retpoline") is null ? "no" : "yes");
        AddList("Modinfo", module.Facts.Where(static f => !Named.Contains(f.Key)).Select(static f => $"{f.Key}={f.Value}"), MaxListed);
        Add("Signature", Signature(module.Signature), module.Signature?.Problem is null ? Paint.None : Paint.Bad);
        AddList("Signer", (module.Signature?.Signers ?? []).Select(Signer), MaxListed);
        if (module.Info.Livepatch)
            Add("Source", module.Patch is null ? "not known" : Source(module.Patch.Source));
        if (module.Patch is { } patch)
        {
            Add("Cumulative", patch.Replace switch { true => "yes", false => "no", null => "only the module's code knows" });
            AddList("States", patch.States.Select(static s => $"{s.Id} version {s.Version}"), MaxListed);
            AddList("Objects", patch.Objects.Select(static o => Object(o)), int.MaxValue);
            AddList("Functions", patch.Objects.SelectMany(static o => o.Functions.Select(f => $"{o.Name}:{f.Name}{Position(f.Position)}")), int.MaxValue);
        }
        AddList("References", module.References.SelectMany(References), MaxListed);
        foreach (var note in module.Notes)
            Add("Note", note, Paint.Moving);
    }

    public static string Source(PatchTablesSource source) => source switch
    {
        PatchTablesSource.KpatchBuild => "kpatch-build",
        PatchTablesSource.KlpBuild => "klp-build",
        _ => "hand-written (derived)",
    };

    public static IEnumerable<string> Words(PatchCallbacks callbacks)
    {
        if (callbacks.HasFlag(PatchCallbacks.PrePatch))
            yield return "pre_patch";
        if (callbacks.HasFlag(PatchCallbacks.PostPatch))
            yield return "post_patch";
        if (callbacks.HasFlag(PatchCallbacks.PreUnpatch))
            yield return "pre_unpatch";
        if (callbacks.HasFlag(PatchCallbacks.PostUnpatch))
            yield return "post_unpatch";
    }

    /// <summary>A word longer than the line is divided: a symbol may have 511 characters.</summary>
    private static string Broken(string text, int width) => string.Join(' ', text.Split(' ').SelectMany(word => Pieces(word, width)));

    private static IEnumerable<string> Pieces(string word, int width)
    {
        var start = 0;
        var used = 0;
        for (var i = 0; i < word.Length;)
        {
            // What is printed has been cleaned: there are no lone surrogates.
            var rune = Rune.GetRuneAt(word, i);
            var columns = rune.IsAscii ? 1 : 2;
            if (used > 0 && used + columns > width)
            {
                yield return word[start..i];
                start = i;
                used = 0;
            }
            used += columns;
            i += rune.Utf16SequenceLength;
        }
        yield return word[start..];
    }

    private static string Signature(ModuleSignature? signature) => signature switch
    {
        null => "none",
        { Problem: { } problem } => $"damaged: {problem}",
        _ => $"PKCS#7, {signature.Length} bytes, not verified here",
    };

    private static string Signer(ModuleSigner signer) =>
        $"{(signer.KeyId is { } key ? $"key {key}" : $"{signer.Issuer}, serial {signer.Serial}")}; {signer.Digest}, {signer.Algorithm}";

    private static string Object(PatchedObject patched)
    {
        var count = patched.Functions.Length;
        var callbacks = string.Join(", ", Words(patched.Callbacks));
        return $"{patched.Name} ({count} function{(count == 1 ? "" : "s")}{(callbacks.Length > 0 ? $"; callbacks {callbacks}" : "")})";
    }

    private static IEnumerable<string> References(ReferencedObject referenced) =>
        referenced.Symbols.Select(s => $"{referenced.Object}:{s.Name}{Position(s.Position)}")
            .Concat(referenced.Sections.Select(s => $"{referenced.Object}: {s.Relocations} relocation{(s.Relocations == 1 ? "" : "s")} in {s.Section}"));

    // As in the names of livepatch symbols: which of several, counted from 1.
    private static string Position(ulong position) => position == 0 ? "" : $",{position}";
}
