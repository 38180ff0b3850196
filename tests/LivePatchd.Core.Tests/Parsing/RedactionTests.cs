// What is masked in lines that leave the host, and what is not.
using CsCheck;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class RedactionTests
{
    private static readonly Gen<string> Noise = Gen.Char["ab =\"@:/."].Array[0, 20].Select(static c => new string(c));

    [Theory]
    [InlineData("", "")]
    [InlineData("BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 quiet", "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 quiet")]
    [InlineData("luks.password=abc quiet", "luks.password=*** quiet")]
    [InlineData("--password=abc", "--password=***")]
    [InlineData("API_TOKEN=abc", "API_TOKEN=***")]
    [InlineData("rd.luks.key=/keyfile:UUID=1-2", "rd.luks.key=***")]
    [InlineData("systemd.set_credential=id:abc", "systemd.set_credential=***")]
    [InlineData("password= quiet", "password= quiet")]
    [InlineData("password=a=b=c quiet", "password=*** quiet")]
    [InlineData("password=\"a b\" quiet", "password=*** quiet")]
    [InlineData("\"password=a b\" quiet", "\"password=*** quiet")]
    [InlineData("x=1,password=a quiet", "x=1,password=*** quiet")]
    [InlineData("password=\"a b quiet", "password=***")]
    [InlineData("vconsole.keymap=de keyboard=us", "vconsole.keymap=de keyboard=us")]
    [InlineData("ks=https://me:abc@host/ks?x=1 quiet", "ks=https://***@host/ks?x=1 quiet")]
    [InlineData("https://host/a quiet", "https://host/a quiet")]
    [InlineData("netroot=iscsi:me:abc@10.0.0.1::3260:::iqn", "netroot=***@10.0.0.1::3260:::iqn")]
    [InlineData("netconsole=6665@10.0.0.2/eth0", "netconsole=6665@10.0.0.2/eth0")]
    [InlineData("ks=https://me:a@b@host/ token=x", "ks=https://***@host/ token=***")]
    [InlineData("a  b\tc ", "a  b\tc ")]
    [InlineData("Linux version 6.12 (builder@farm) #1", "Linux version 6.12 (builder@farm) #1")]
    [InlineData("livepatch: 'lp_one': patching complete", "livepatch: 'lp_one': patching complete")]
    public void Values_that_may_be_secrets_are_masked(string text, string expected) => Assert.Equal(expected, Redaction.Line(text));

    [Theory]
    [InlineData("metrics.listen", false)]
    [InlineData("some.passphrase", true)]
    [InlineData("Cookie", true)]
    public void Names_tell(string name, bool secret) => Assert.Equal(secret, Redaction.Names(name));

    [Fact]
    public void Whatever_stands_around_it_no_marked_secret_comes_through() => Noise.Select(Noise).Sample((before, after) =>
    {
        var shown = Redaction.Line($"{before} password=S3{after.Replace(" ", "", StringComparison.Ordinal)}");
        Assert.DoesNotContain("S3", shown, StringComparison.Ordinal);
    });
}
