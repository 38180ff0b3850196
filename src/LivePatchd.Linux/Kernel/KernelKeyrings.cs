// Does the kernel have one of the keys by which a module is signed? Asked of the keyrings whose keys it may take for modules.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Preflight;

namespace LivePatchd.Linux.Kernel;

/// <summary>keyctl(KEYCTL_SEARCH) for an asymmetric key, which links nothing anywhere.</summary>
/// <param name="keyring">Its serial number.</param>
public delegate SysResult KeySearch(int keyring, string description);

/// <summary>
/// The kernel compares a key before it asks whether the caller may have it. So EACCES says that the key is there, as success does, and
/// ENOKEY that it is not. Any other answer says nothing, and then no key is said to be missing.
/// </summary>
internal sealed class KernelKeyrings(SystemRoot root, KeySearch? search)
{
    private const long MaxBytes = 4L << 20;
    private const int MaxKeyrings = 16;

    // Half a byte, which no key has. EINVAL proves that the keyring may be searched, and that the kernel knows such keys and this way of asking.
    private const string Nonsense = "ex:0";

    private readonly KeySearch search = search ?? (root.IsReal ? Ask : static (_, _) => SysResult.Fail(Errno.EXDEV, "keyctl"));

    /// <summary>True only when it is certain that the kernel has none of their keys.</summary>
    internal bool Lack(ImmutableArray<ModuleSigner> signers)
    {
        if (signers.IsEmpty || signers.Any(static s => s.Lookup is null) || Find() is not { } keyrings)
            return false;
        return keyrings.All(k => search(k, Nonsense).Errno == Errno.EINVAL && signers.All(s => search(k, $"ex:{s.Lookup}").Errno == Errno.ENOKEY));
    }

    internal static SysResult Ask(int keyring, string description) => Ask(keyring, "asymmetric", description);

    internal static SysResult Ask(int keyring, string type, string description) =>
        LibC.syscall_keyctl_search(LibC.KeyctlNumber, LibC.KeyctlSearch, keyring, type, description, 0) >= 0
            ? SysResult.Success
            : Sys.Fail("keyctl");

    /// <summary>Null unless the one that every kernel has is seen: in a sandbox there may be others that are not.</summary>
    private List<int>? Find()
    {
        var keyrings = new List<int>();
        var whole = false;
        var read = LineStream.Read(root.Path("/proc/keys"), MaxBytes, line =>
        {
            if (TrustedKeyringLine.Parse(line) is { } keyring)
            {
                keyrings.Add(keyring.Serial);
                whole |= keyring.Name == TrustedKeyringLine.BuiltIn;
            }
            return keyrings.Count <= MaxKeyrings;
        });
        return read.IsOk && whole && keyrings.Count <= MaxKeyrings ? keyrings : null;
    }
}
