// Records of /dev/kmsg, as the kernel and as programs write them.
using System.Text;
using CsCheck;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class KmsgParserTests
{
    [Theory]
    [InlineData("6,339,5140900,-;livepatch: enabling patch 'lp'\n", 6, 0, 339UL, 5140900L, "livepatch: enabling patch 'lp'")]
    [InlineData("4,1,0,-,caller=T42;x\n SUBSYSTEM=acpi\n DEVICE=+acpi:1\n", 4, 0, 1UL, 0L, "x")]
    [InlineData("30,7,9,-;systemd[1]: livepatch: 'forged': patching complete", 6, 3, 7UL, 9L, "systemd[1]: livepatch: 'forged': patching complete")]
    [InlineData("6,1,2,c;", 6, 0, 1UL, 2L, "")]
    [InlineData("6,1,2,-;a;b", 6, 0, 1UL, 2L, "a;b")]
    [InlineData("6,1,2,-;two\\x0alines and \\x5c and \\x1b[2J", 6, 0, 1UL, 2L, "two lines and \\ and ?[2J")]
    [InlineData("6,1,2,-;na\\xc3\\xafve", 6, 0, 1UL, 2L, "naïve")]
    [InlineData("6,1,2,-;\\xff \\x \\xg1 \\", 6, 0, 1UL, 2L, "? \\x \\xg1 \\")]
    [InlineData("6,18446744073709551615,2;m", 6, 0, ulong.MaxValue, 2L, "m")]
    public void A_record_is_read(string record, int priority, int facility, ulong sequence, long microseconds, string message)
    {
        var read = KmsgParser.Parse(Encoding.UTF8.GetBytes(record));
        Assert.Equal(new KernelLogRecord(priority, facility, sequence, TimeSpan.FromMicroseconds(microseconds), message), read);
        Assert.Equal(facility == 0, read!.FromKernel);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no record")]
    [InlineData(";m")]
    [InlineData("6;m")]
    [InlineData("6,1;m")]
    [InlineData("-6,1,2,-;m")]
    [InlineData("6,x,2,-;m")]
    [InlineData("6,1,2x;m")]
    [InlineData("6,1,99999999999999999999,-;m")]
    [InlineData("6,1,18446744073709551615,-;m")]
    [InlineData("99999999999,1,2,-;m")]
    public void Anything_else_is_no_record(string record) => Assert.Null(KmsgParser.Parse(Encoding.UTF8.GetBytes(record)));

    [Fact]
    public void A_message_is_bounded()
    {
        var record = KmsgParser.Parse(Encoding.UTF8.GetBytes("6,1,2,-;" + new string('m', 20_000)));
        Assert.InRange(record!.Message.Length, 1, 1025);
    }

    [Fact]
    public void Messages_never_carry_control_characters()
    {
        Gen.Byte.Array[0, 200].Sample(
            bytes => KmsgParser.Parse([.. "6,1,2,-;"u8, .. bytes]) is { } record && !record.Message.Any(char.IsControl), iter: 5_000);
    }
}
