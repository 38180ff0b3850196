// What a patch must bring with it before the daemon loads it: the settings of `trust`.
namespace LivePatchd.Core.Config;

public enum TrustRequirement
{
    None,
    ModuleSignature,
    ManifestSignature,
    Both,
}

/// <param name="Certificates">Directory of the certificates whose keys may sign, PEM or DER.</param>
/// <param name="Owner">User who, beside root, may own patch files and the directories that lead to them.</param>
public sealed record TrustSettings(TrustRequirement Require, string Certificates, string Owner)
{
    public const string Root = "root";

    public static TrustSettings Default { get; } = new(TrustRequirement.None, "/etc/livepatchd/keys.d", Root);

    public bool AsksForModule => Require is TrustRequirement.ModuleSignature or TrustRequirement.Both;

    public bool AsksForManifest => Require is TrustRequirement.ManifestSignature or TrustRequirement.Both;

    internal static TrustSettings Read(ValueReader file) => new(
        file.Text("trust.require") switch
        {
            "module-signature" => TrustRequirement.ModuleSignature,
            "manifest-signature" => TrustRequirement.ManifestSignature,
            "both" => TrustRequirement.Both,
            _ => Default.Require,
        },
        file.Text("trust.certificates") ?? Default.Certificates,
        file.Text("trust.owner") ?? Default.Owner);
}
