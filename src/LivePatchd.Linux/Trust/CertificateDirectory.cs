// Reads the directory of trusted certificates: owned by root, bounded, and read again only when something in it changed.
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Trust;

internal sealed class CertificateDirectory(SystemRoot root, DirectoryTrust trust)
{
    private const int MaxFiles = 64;
    private const int MaxCertificates = 64;
    private const int MaxFileSize = 64 << 10;

    private ImmutableArray<(string Name, FileIdentity Identity)> seen;
    private string seenPath = "";
    private TrustAnchors anchors = TrustAnchors.Without("not read yet");
    private ImmutableArray<RefusedFile> unusable = [];

    /// <summary>The same object as long as nothing changed.</summary>
    /// <param name="path">On the host.</param>
    internal (TrustAnchors Anchors, ImmutableArray<RefusedFile> Unusable) Read(string path)
    {
        var opened = Sys.Open(root.Path(path), LibC.PathOnly | LibC.Directory);
        if (!opened.IsOk)
            return Forget($"{path}: {opened.Errno}");
        using var directory = opened.Value;
        if (trust.Check(directory, root.Path(path)) is { } untrusted)
            return Forget($"{path}: {untrusted.Detail}");
        var listing = DirectoryListing.Read(root.Path(path), MaxFiles);
        if (!listing.IsOk)
            return Forget($"{path}: {(listing.Errno is Errno.E2BIG ? $"more than {MaxFiles} files" : listing.Errno)}");
        var names = listing.Value.Where(n => n[0] != '.').ToList();
        var now = names.Select(n => (n, Sys.Stat(directory, n) is { IsOk: true } stat ? stat.Value : default)).ToImmutableArray();
        if (seenPath == path && !seen.IsDefault && seen.SequenceEqual(now))
            return (anchors, unusable);
        (seenPath, seen) = (path, now);
        Load(directory, path, names);
        return (anchors, unusable);
    }

    private (TrustAnchors, ImmutableArray<RefusedFile>) Forget(string problem)
    {
        seen = default;
        unusable = [];
        if (anchors.Problem != problem)
            anchors = TrustAnchors.Without(problem);
        return (anchors, unusable);
    }

    private void Load(SafeFileHandle directory, string path, List<string> names)
    {
        var good = new Dictionary<string, TrustAnchor>(StringComparer.Ordinal);
        var bad = ImmutableArray.CreateBuilder<RefusedFile>();
        foreach (var name in names)
        {
            if (LoadFile(directory, name, good) is { } wrong)
                bad.Add(TrustSources.Unusable($"{path}/{name}", wrong));
        }
        unusable = bad.ToImmutable();
        anchors = good.Count > 0
            ? new TrustAnchors([.. good.Values], null)
            : TrustAnchors.Without($"{path} holds no usable certificate");
    }

    /// <summary>Null, or what is wrong with the file.</summary>
    private string? LoadFile(SafeFileHandle directory, string name, Dictionary<string, TrustAnchor> good)
    {
        var (source, refusal) = SourceFile.Read(directory, name, trust, MaxFileSize);
        if (source is null)
            return refusal!.Detail;
        using (source)
        {
            try
            {
                var found = Parse(source.Content);
                if (found.Count == 0)
                    return "it holds no certificate";
                foreach (var certificate in found)
                {
                    if (TrustAnchor.Unfit(certificate) is { } unfit)
                        return unfit;
                    if (TrustAnchor.Of(certificate) is not { } anchor)
                        return "its key is neither RSA of 2048 bits or more nor EC";
                    if (good.Count == MaxCertificates)
                        return $"there are more than {MaxCertificates} certificates";
                    good.TryAdd(certificate.Thumbprint, anchor);
                }
                return null;
            }
            catch (CryptographicException)
            {
                return "it is not a certificate in PEM or DER";
            }
        }
    }

    internal static X509Certificate2Collection Parse(ReadOnlySpan<byte> content)
    {
        var certificates = new X509Certificate2Collection();
        if (content.IndexOf("-----BEGIN"u8) >= 0)
            certificates.ImportFromPem(Encoding.Latin1.GetString(content));
        else
            certificates.Add(X509CertificateLoader.LoadCertificate(content));
        return certificates;
    }
}
