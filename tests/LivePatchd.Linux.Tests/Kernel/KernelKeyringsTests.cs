// Whether the kernel has a signer's key: what each answer of the keyrings means, and the question put to the running kernel.
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Linux.Tests.Kernel;

public sealed partial class KernelKeyringsTests
{
    private const int BuiltIn = 0x363bd491;
    private const int Platform = 0x11;
    private const string Keys = """
        04eb03d8 I------     1 perm 1f030000     0     0 keyring   .dns_resolver: empty
        363bd491 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1
        00000011 I------     1 perm 1f0b0000     0     0 keyring   .platform: 1
        2ae37eb5 I------     1 perm 1f0b0000     0     0 asymmetri Lab: key: X509.rsa 12345678 []

        """;

    /// <summary>Only a key that no keyring has, where every keyring can be searched, is said to be missing.</summary>
    [Theory]
    [InlineData(Errno.EINVAL, Errno.ENOKEY, Errno.EINVAL, Errno.ENOKEY, true)]
    [InlineData(Errno.EINVAL, Errno.None, Errno.EINVAL, Errno.ENOKEY, false)]
    [InlineData(Errno.EINVAL, Errno.EACCES, Errno.EINVAL, Errno.ENOKEY, false)]
    [InlineData(Errno.EINVAL, Errno.ENOKEY, Errno.EINVAL, Errno.EACCES, false)]
    [InlineData(Errno.EINVAL, Errno.EKEYREVOKED, Errno.EINVAL, Errno.ENOKEY, false)]
    [InlineData(Errno.EINVAL, Errno.EPERM, Errno.EINVAL, Errno.EPERM, false)]
    [InlineData(Errno.ENOSYS, Errno.ENOSYS, Errno.ENOSYS, Errno.ENOSYS, false)]
    [InlineData(Errno.EACCES, Errno.ENOKEY, Errno.EINVAL, Errno.ENOKEY, false)]
    [InlineData(Errno.EINVAL, Errno.ENOKEY, Errno.ENOKEY, Errno.ENOKEY, false)]
    public void Answers(Errno builtInNonsense, Errno builtIn, Errno platformNonsense, Errno platform, bool lacks)
    {
        using var root = new FakeRoot();
        root.Write("/proc/keys", Keys);
        var keyrings = new KernelKeyrings(root.Root, (keyring, description) =>
        {
            Assert.Contains(keyring, (int[])[BuiltIn, Platform]);
            Assert.Contains(description, (string[])["ex:0", "ex:12ab"]);
            var errno = (keyring == BuiltIn, description == "ex:0") switch
            {
                (true, true) => builtInNonsense,
                (true, false) => builtIn,
                (false, true) => platformNonsense,
                (false, false) => platform,
            };
            return errno is Errno.None ? SysResult.Success : SysResult.Fail(errno, "keyctl");
        });
        Assert.Equal(lacks, keyrings.Lack(Signers("12ab")));
    }

    [Fact]
    public void One_known_signer_is_enough_and_one_that_cannot_be_asked_for_leaves_it_open()
    {
        using var root = new FakeRoot();
        root.Write("/proc/keys", Keys);
        var keyrings = new KernelKeyrings(root.Root, Stranger);
        Assert.True(keyrings.Lack(Signers("12ab", "34cd")));
        Assert.False(keyrings.Lack(Signers("12ab", "0600d0")));
        Assert.False(keyrings.Lack(Signers("12ab", null)));
        Assert.False(keyrings.Lack([]));
    }

    [Fact]
    public void Without_the_keyring_that_every_kernel_has_nothing_is_concluded()
    {
        using var root = new FakeRoot();
        var keyrings = new KernelKeyrings(root.Root, Stranger);
        Assert.False(keyrings.Lack(Signers("12ab")));
        root.Write("/proc/keys", Keys.Replace(".builtin_trusted_keys", ".builtin_trusted_key", StringComparison.Ordinal));
        Assert.False(keyrings.Lack(Signers("12ab")));
        root.Write("/proc/keys", Keys);
        Assert.True(keyrings.Lack(Signers("12ab")));
        // Another root has other keyrings than the kernel that would answer.
        Assert.False(new KernelKeyrings(root.Root, null).Lack(Signers("12ab")));
    }

    /// <summary>The call itself, at a keyring of our own: a key that is there, and one that is not.</summary>
    [Fact]
    public void The_running_kernel_answers()
    {
        const int ProcessKeyring = -2;
        const int NoKeyring = int.MaxValue;
        var probe = KernelKeyrings.Ask(ProcessKeyring, "user", "livepatchd-test-no-such-key");
        Assert.SkipWhen(probe.Errno is Errno.ENOSYS or Errno.EPERM, $"keyctl: {probe.Errno}");
        // The keyring is not made by asking for it.
        Assert.Equal(Errno.ENOKEY, probe.Errno);
        Assert.Equal("keyctl", probe.Call);
        Assert.Equal(Errno.ENOKEY, KernelKeyrings.Ask(NoKeyring, "ex:12ab").Errno);
        Assert.Equal(Errno.ENOKEY, KernelKeyrings.Ask(ProcessKeyring, "no-such-type", "x").Errno);
    }

    [Fact]
    public void The_running_kernel_lacks_a_key_that_nobody_has_made()
    {
        var keys = File.Exists("/proc/keys") ? File.ReadAllText("/proc/keys") : "";
        Assert.SkipUnless(keys.Contains(".builtin_trusted_keys", StringComparison.Ordinal), "the keyrings cannot be seen");
        var serial = Convert.ToInt32(keys.Split('\n').First(l => l.Contains(" .builtin_trusted_keys:", StringComparison.Ordinal))[..8], 16);
        var nonsense = KernelKeyrings.Ask(serial, "ex:0").Errno;
        Assert.SkipUnless(nonsense is Errno.EINVAL, $"the keyring cannot be searched: {nonsense}");
        Assert.Equal(Errno.ENOKEY, KernelKeyrings.Ask(serial, "ex:" + new string('f', 64)).Errno);
        Assert.True(new KernelKeyrings(SystemRoot.Host, null).Lack(Signers(new string('f', 64))));
    }

    /// <summary>A real key in a keyring of this process: what is read of a signature is what the kernel compares.</summary>
    [Theory]
    [InlineData(SubjectIdentifierType.IssuerAndSerialNumber)]
    [InlineData(SubjectIdentifierType.SubjectKeyIdentifier)]
    public void A_signer_is_looked_up_by_what_the_kernel_knows_of_its_certificate(SubjectIdentifierType by)
    {
        const int ProcessKeyring = -2;
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=livepatchd test, O=Lab, C=DE", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        // A number whose first bit is set is written with a zero before it.
        using var certificate = request.Create(
            request.SubjectName, X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1),
            DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [0xed, .. RandomNumberGenerator.GetBytes(8)]).CopyWithPrivateKey(rsa);
        var added = add_key(KeyNumber, "asymmetric", "livepatchd test", certificate.RawData, certificate.RawData.Length, ProcessKeyring);
        Assert.SkipWhen(added < 0, $"add_key: {Marshal.GetLastPInvokeError()}");

        var image = new ModuleImage().Build();
        var cms = new SignedCms(new ContentInfo(image), detached: true);
        cms.ComputeSignature(new CmsSigner(by, certificate) { IncludeOption = X509IncludeOption.None, DigestAlgorithm = new Oid("2.16.840.1.101.3.4.2.1") });
        var message = cms.Encode();
        byte[] trailer = [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, (byte)(message.Length >> 8), (byte)message.Length];
        var signer = Assert.Single(ModuleInspector.Inspect([.. image, .. message, .. trailer, .. "~Module signature appended~\n"u8], ElfMachine.X64).Module!.Signers);

        Assert.Equal(Errno.EINVAL, KernelKeyrings.Ask(ProcessKeyring, "ex:0").Errno);
        Assert.Equal(Errno.None, KernelKeyrings.Ask(ProcessKeyring, "ex:" + signer.Lookup).Errno);
        Assert.Equal(Errno.ENOKEY, KernelKeyrings.Ask(ProcessKeyring, "ex:" + signer.Lookup + "00").Errno);

        // As the kernel's own keys are: seen, and not to be had.
        const int SetPermissions = 5;
        const int ViewOnly = 0x01010000;
        Assert.Equal(0, keyctl(KeyNumber + 2, SetPermissions, added, ViewOnly));
        Assert.Equal(Errno.EACCES, KernelKeyrings.Ask(ProcessKeyring, "ex:" + signer.Lookup).Errno);
        Assert.Equal(Errno.ENOKEY, KernelKeyrings.Ask(ProcessKeyring, "ex:" + signer.Lookup + "00").Errno);
    }

    private static nint KeyNumber => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 217 : 248;

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint add_key(nint number, string type, string description, byte[] payload, nint size, nint keyring);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint keyctl(nint number, nint operation, nint key, nint permissions);

    private static SysResult Stranger(int keyring, string description) => description switch
    {
        "ex:0" => SysResult.Fail(Errno.EINVAL, "keyctl"),
        "ex:0600d0" => SysResult.Fail(Errno.EACCES, "keyctl"),
        _ => SysResult.Fail(Errno.ENOKEY, "keyctl"),
    };

    private static ImmutableArray<ModuleSigner> Signers(params string?[] lookups) =>
        [.. lookups.Select(static l => new ModuleSigner("CN=x", "12", null, "sha256", "rsa") { Lookup = l })];
}
