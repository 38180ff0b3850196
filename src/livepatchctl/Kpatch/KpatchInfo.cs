// `info`: what modinfo says of the file, in its form; needs no daemon.
using LivePatchd.Core.Elf;
using LivePatchd.Ctl.Files;

namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchInfo
{
    private const int LabelWidth = 16;
    private const string Parameter = "parm";
    private const string ParameterType = "parmtype";

    public static int Run(KpatchHost host, string argument)
    {
        if (KpatchModules.Find(host, argument) is not { } path)
            return host.Die($"can't find {argument}");
        host.Say($"Patch information for {argument}:");
        var failed = $"failed to get info for module {argument}";
        if (KpatchFile.Read(path, out var why) is not { } file)
            return host.Die($"{failed}: {why}");
        if (file.Contents is not { } module)
            return host.Die($"{failed}: it is compressed; decompress it first ({Compressed.Kind(file.Bytes)!.Value.Command})");

        Line(host, "filename", Path.GetFullPath(path));
        foreach (var fact in module.Facts.Where(static f => f.Key is not (Parameter or ParameterType)))
            Line(host, fact.Key, fact.Value);
        if (module.Signature is { Problem: null, Signers: [var signer, ..] })
            Show(host, signer);
        foreach (var (name, text) in module.Facts.Where(static f => f.Key == Parameter).Select(static f => Halves(f.Value)))
        {
            var type = module.Facts.Where(static f => f.Key == ParameterType).Select(static f => Halves(f.Value)).FirstOrDefault(t => t.Name == name).Text;
            Line(host, Parameter, type is null ? $"{name}:{text}" : $"{name}:{text} ({type})");
        }
        return ExitCode.Ok;
    }

    private static void Show(KpatchHost host, ModuleSigner signer)
    {
        Line(host, "sig_id", "PKCS#7");
        // The issuer by its common name; who is named by a key alone has none.
        const string Common = "CN=";
        Line(host, "signer", signer.Issuer?.Split(", ").FirstOrDefault(static p => p.StartsWith(Common, StringComparison.Ordinal))?[Common.Length..] ?? "");
        var key = (signer.Serial ?? signer.KeyId ?? "").ToUpperInvariant();
        Line(host, "sig_key", string.Join(':', key.Chunk(2).Select(static c => new string(c))));
        Line(host, "sig_hashalgo", signer.Digest);
    }

    private static (string Name, string Text) Halves(string value) =>
        value.Split(':', 2) is [var name, var text] ? (name, text) : (value, "");

    private static void Line(KpatchHost host, string label, string value) => host.Say((label + ":").PadRight(LabelWidth) + value);
}
