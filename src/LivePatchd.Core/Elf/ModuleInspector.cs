// Looks into the bytes of a patch file: is it a kernel module for this machine, which one, and what does it say about itself?
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Elf;

/// <summary>Total: any bytes at all give a module or a reason, in time linear in the number of sections and the size of .modinfo.</summary>
public static class ModuleInspector
{
    // struct module begins with an enum, a list_head and then the name, on 64-bit machines.
    private const int NameOffset = 24;
    private const int NameSize = PatchName.MaxLength + 1;
    private const int MaxValueLength = 256;
    private const int MaxDepends = 64;

    // Ten times what the largest drivers have.
    private const int MaxModInfo = 1 << 20;

    /// <param name="machine">What the host runs: <see cref="ElfMachine"/>.</param>
    public static InspectResult Inspect(ReadOnlySpan<byte> image, ushort machine)
    {
        if (ElfSections.Open(image, machine, out var sections) is { } refused)
            return Refuse(refused.Reason, refused.Detail);

        if (sections.Find(".modinfo"u8, out var modinfoSection) != 1)
            return Malformed("there is not exactly one .modinfo section");
        if (sections.Find(".gnu.linkonce.this_module"u8, out var thisModule) != 1)
            return Malformed("there is not exactly one .gnu.linkonce.this_module section");
        if (modinfoSection.Length > MaxModInfo)
            return Malformed(".modinfo is larger than any module's");
        var info = new ModInfo(modinfoSection);
        if (!info.IsTerminated)
            return Malformed(".modinfo does not end in a string");

        if (Shuffled(info) && !IsNamed(info, thisModule))
            return Malformed("the layout of its structures is randomized, and its name in .modinfo is not found in .gnu.linkonce.this_module");
        if ((Shuffled(info) ? ModInfoName(info) : StructName(thisModule)) is not { } name)
            return Malformed(OddName(thisModule) is { } odd ? $"the module is called {odd}: livepatchd takes names of letters, digits and _" : ".gnu.linkonce.this_module holds no module name");
        if (info.TryGet("name"u8, out var told) && !told.SequenceEqual(Encoding.ASCII.GetBytes(name.Value)))
            return Malformed("the names in .modinfo and .gnu.linkonce.this_module differ");
        if (!info.TryGet("vermagic"u8, out var vermagicBytes) || Plain(vermagicBytes) is not { Length: > 0 } vermagic)
            return Malformed(".modinfo has no usable vermagic");
        if (Depends(info) is not { } depends)
            return Malformed(".modinfo names dependencies that are no module names");

        sections.Find(".note.gnu.build-id"u8, out var notes);
        return new InspectResult(
            new ModuleInfo(
                name,
                vermagic,
                Livepatch: info.TryGet("livepatch"u8, out var livepatch) && livepatch.SequenceEqual("Y"u8),
                Signed: image.EndsWith("~Module signature appended~\n"u8),
                BuildIdNote.Parse(notes),
                Text(info, "srcversion"u8),
                Text(info, "license"u8),
                depends)
            {
                Signers = SignatureTrailer.Read(image) is { CarriesCertificates: false } signature ? signature.Signers : [],
            },
            Reason: null,
            Detail: "");
    }

    /// <summary>Built with CONFIG_RANDSTRUCT: where the name stands in struct module is a secret of that build; include/linux/vermagic.h says that it is one.</summary>
    private static bool Shuffled(ModInfo info) => info.TryGet("vermagic"u8, out var vermagic) && vermagic.IndexOf(" RANDSTRUCT"u8) >= 0;

    private static PatchName? ModInfoName(ModInfo info) =>
        info.TryGet("name"u8, out var name) && Plain(name) is { } text ? PatchName.TryParse(text) : null;

    /// <summary>The structure holds nothing but the name: all else in it is filled in when it is loaded, by relocations and by the kernel.</summary>
    private static bool IsNamed(ModInfo info, ReadOnlySpan<byte> thisModule)
    {
        if (!info.TryGet("name"u8, out var name) || name.IsEmpty || thisModule.IndexOf(name) is not (>= 0 and var at))
            return false;
        var behind = thisModule[(at + name.Length)..];
        return !behind.IsEmpty && !thisModule[..at].ContainsAnyExcept((byte)0) && !behind.ContainsAnyExcept((byte)0);
    }

    private static PatchName? StructName(ReadOnlySpan<byte> thisModule)
    {
        if (thisModule.Length < NameOffset + NameSize)
            return null;
        var field = thisModule.Slice(NameOffset, NameSize);
        var end = field.IndexOf((byte)0);
        // A dash would give the module another name in sysfs than the daemon's tables have.
        return end < 0 || field[..end].Contains((byte)'-') || Plain(field[..end]) is not { } text ? null : PatchName.TryParse(text);
    }

    /// <summary>A name that the kernel takes and this daemon does not.</summary>
    private static string? OddName(ReadOnlySpan<byte> thisModule)
    {
        if (thisModule.Length < NameOffset + NameSize)
            return null;
        var field = thisModule.Slice(NameOffset, NameSize);
        return field.IndexOf((byte)0) is > 0 and var end && Plain(field[..end]) is { } text && PatchName.TryParseLoaded(text) is not null ? text : null;
    }

    private static ImmutableArray<string>? Depends(ModInfo info)
    {
        if (!info.TryGet("depends"u8, out var list) || list.IsEmpty)
            return [];
        var depends = ImmutableArray.CreateBuilder<string>();
        foreach (var range in list.Split((byte)','))
        {
            if (depends.Count == MaxDepends || Plain(list[range]) is not { } text || PatchName.TryParse(text) is null)
                return null;
            depends.Add(text);
        }
        return depends.ToImmutable();
    }

    private static string? Text(ModInfo info, ReadOnlySpan<byte> key) =>
        info.TryGet(key, out var value)
            ? Printable.Line(Encoding.UTF8.GetString(value[..Math.Min(value.Length, MaxValueLength)]), MaxValueLength)
            : null;

    // Null unless it is short printable ASCII.
    private static string? Plain(ReadOnlySpan<byte> value) =>
        value.Length <= MaxValueLength && !value.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? Encoding.ASCII.GetString(value) : null;

    private static InspectResult Malformed(string detail) => Refuse(Reason.MalformedModule, detail);

    private static InspectResult Refuse(Reason reason, string detail) => new(null, reason, detail);
}
