// Everything that trust is decided by, read for one scan: certificates, denials, and who may own patch files.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Trust;

/// <param name="Problem">Null, or why nothing may be loaded.</param>
/// <param name="Unusable">Files that have no effect and should be told of.</param>
internal sealed record TrustState(
    TrustSettings Settings, TrustAnchors Anchors, Denials Denials, uint? Owner, string? Problem, ImmutableArray<RefusedFile> Unusable);

internal sealed class TrustSources
{
    private const int MaxPathLength = 4096;

    private readonly SystemRoot root;
    private readonly DirectoryTrust rootOnly;
    private readonly CertificateDirectory certificates;

    internal TrustSources(SystemRoot root)
    {
        this.root = root;
        // What is trusted is root's to say, whoever may own patch files.
        rootOnly = new DirectoryTrust(root);
        certificates = new CertificateDirectory(root, rootOnly);
    }

    internal TrustState Read(TrustSettings settings)
    {
        var (anchors, unusable) = certificates.Read(settings.Certificates);
        var denials = DenyList.Read(root, rootOnly);
        uint? owner = settings.Owner == TrustSettings.Root ? null : UserTable.Find(root, settings.Owner);
        var problem = denials.Problem
            ?? (settings.Owner != TrustSettings.Root && owner is null ? $"trust.owner: there is no user {settings.Owner} in /etc/passwd" : null)
            ?? (settings.Require is not TrustRequirement.None ? anchors.Problem : null);
        return new TrustState(settings, anchors, denials, owner, problem, [.. unusable, .. denials.Unusable]);
    }

    internal static RefusedFile Unusable(string path, string detail) =>
        new(Printable.Line(path, MaxPathLength), null, Reason.UnusableTrustFile, Printable.Line(detail));
}
