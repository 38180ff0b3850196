// A module file's contents as JSON; null where the file does not say.
using System.Text.Json;
using LivePatchd.Core.Elf;
using LivePatchd.Ctl.Files;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Json;

internal static class ModuleJson
{
    public static void Members(Utf8JsonWriter json, string path, FileSize size, ModuleContents module)
    {
        json.WriteString("file", path);
        json.WriteNumber("size", size.OfFile);
        json.WriteString("compression", size.Compression);
        json.WriteNumber("module_size", size.OfModule);
        json.WriteNumber("elf_class", 64);
        json.WriteString("machine", ElfMachine.Name(module.Machine));
        json.WriteString("name", module.Info.Name.Value);
        json.WriteBoolean("livepatch", module.Info.Livepatch);
        json.WriteString("kernel_release", module.Info.KernelRelease);
        json.WriteString("vermagic", module.Info.Vermagic);
        json.WriteString("build_id", module.Info.BuildId?.Hex);
        json.WriteString("srcversion", module.Fact("srcversion"));
        json.WriteString("version", module.Fact("version"));
        json.WriteString("license", module.Fact("license"));
        json.Strings("depends", module.Info.Depends);
        json.WriteBoolean("intree", module.Fact("intree") is not null);
        json.WriteBoolean("retpoline", module.Fact("retpoline") is not null);
        json.Objects("modinfo", module.Facts, fact =>
        {
            json.WriteString("key", fact.Key);
            json.WriteString("value", fact.Value);
        });
        Signature(json, module.Signature);
        Patch(json, module.Patch);
        json.Objects("references", module.References, referenced =>
        {
            json.WriteString("object", referenced.Object);
            json.Objects("symbols", referenced.Symbols, symbol =>
            {
                json.WriteString("name", symbol.Name);
                json.WriteNumber("sympos", symbol.Position);
            });
            json.Objects("sections", referenced.Sections, section =>
            {
                json.WriteString("name", section.Section);
                json.WriteNumber("relocations", section.Relocations);
            });
        });
        json.Strings("notes", module.Notes);
    }

    private static void Signature(Utf8JsonWriter json, ModuleSignature? signature)
    {
        if (signature is null)
        {
            json.WriteNull("signature");
            return;
        }
        json.WriteStartObject("signature");
        json.WriteNumber("size", signature.Length);
        json.WriteString("problem", signature.Problem);
        json.Objects("signers", signature.Signers, signer =>
        {
            json.WriteString("issuer", signer.Issuer);
            json.WriteString("serial", signer.Serial);
            json.WriteString("key_id", signer.KeyId);
            json.WriteString("digest", signer.Digest);
            json.WriteString("algorithm", signer.Algorithm);
        });
        json.WriteEndObject();
    }

    private static void Patch(Utf8JsonWriter json, PatchTables? patch)
    {
        if (patch is null)
        {
            json.WriteNull("patch");
            return;
        }
        json.WriteStartObject("patch");
        json.WriteString("source", ModuleText.Source(patch.Source));
        json.OptionalBool("replace", patch.Replace);
        json.Objects("states", patch.States, state =>
        {
            json.WriteNumber("id", state.Id);
            json.WriteNumber("version", state.Version);
        });
        json.Objects("objects", patch.Objects, patched =>
        {
            json.WriteString("name", patched.Name);
            json.Strings("callbacks", ModuleText.Words(patched.Callbacks));
            json.Objects("functions", patched.Functions, function =>
            {
                json.WriteString("name", function.Name);
                json.WriteNumber("sympos", function.Position);
            });
        });
        json.WriteEndObject();
    }
}
