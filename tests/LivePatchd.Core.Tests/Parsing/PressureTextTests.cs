// The text files that tell how hard the machine works: as kernels print them, cut off, overflowing, and as garbage.
using System.Globalization;
using System.Text;
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class PressureTextTests
{
    private const string Psi = "some avg10=12.34 avg60=0.22 avg300=100.00 total=3771935\nfull avg10=0.00 avg60=0.05 avg300=0.06 total=3127561\n";

    private const string Snmp = """
        Ip: Forwarding DefaultTTL
        Ip: 1 64
        TcpExt: OutSegs RetransSegs
        TcpExt: 1 2
        Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens InSegs OutSegs RetransSegs InErrs OutRsts
        Tcp: 1 200 120000 -1 5 1000 2000 30 0 7
        Udp: InDatagrams
        Udp: 3

        """;

    [Fact]
    public void Pressure_is_read_as_shares_and_a_total()
    {
        var reading = PsiParser.Parse(Bytes(Psi))!.Value;
        Assert.Equal(new PsiLine(0.1234, 0.0022, 1, TimeSpan.FromMicroseconds(3771935)), reading.Some);
        Assert.Equal(new PsiLine(0, 0.0005, 0.0006, TimeSpan.FromMicroseconds(3127561)), reading.Full);
        Assert.Null(PsiParser.Parse(Bytes(Psi.Split('\n')[0] + "\n"))!.Value.Full);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00\n")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=\n")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=1")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=-1\n")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=99999999999999999999\n")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=18446744073709551615\n")]
    [InlineData("some avg10=100.01 avg60=0.00 avg300=0.00 total=1\n")]
    [InlineData("some avg10=NaN avg60=0.00 avg300=0.00 total=1\n")]
    [InlineData("some avg10=1e1 avg60=0.00 avg300=0.00 total=1\n")]
    [InlineData("some avg60=0.00 avg10=0.00 avg300=0.00 total=1\n")]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\nfull avg10=\n")]
    public void Pressure_that_makes_no_sense_is_none(string text) => Assert.Null(PsiParser.Parse(Bytes(text)));

    [Fact]
    public void Any_total_that_fits_is_kept() => Gen.Long[0, TimeSpan.MaxValue.Ticks / 10].Sample(total =>
        PsiParser.Parse(Bytes($"some avg10=0.00 avg60=0.00 avg300=0.00 total={total}\n"))!.Value.Some.Total == TimeSpan.FromTicks(total * 10));

    [Theory]
    [InlineData("0.20 0.18 0.12 1/80 11206\n", 0.2)]
    [InlineData("123.45 1 2 3/4 5\n", 123.45)]
    [InlineData("3\n", 3.0)]
    [InlineData("0.20 0.18 0.12", null)]
    [InlineData("", null)]
    [InlineData("\n", null)]
    [InlineData("x 1 2\n", null)]
    [InlineData("-1.00 1 2\n", null)]
    [InlineData("1. 1 2\n", null)]
    [InlineData(".5 1 2\n", null)]
    [InlineData("1.1234567890 1 2\n", null)]
    [InlineData("99999999999999999999.00 1 2\n", null)]
    public void Load_is_the_first_figure(string text, double? expected) => Assert.Equal(expected, LoadParser.OneMinute(Bytes(text)));

    [Theory]
    [InlineData("0.20 0.18 0.12 1/80 11206\n", 80)]
    [InlineData("0.20 0.18 0.12 1/100000 4000000\n", 100_000)]
    [InlineData("0.20 0.18 0.12 1/80 11206", null)]
    [InlineData("0.20 0.18 0.12\n", null)]
    [InlineData("0.20 0.18 0.12 80 1\n", null)]
    [InlineData("0.20 0.18 0.12 1/99999999999 1\n", null)]
    public void Threads_follow_the_slash(string text, int? expected) => Assert.Equal(expected, LoadParser.Threads(Bytes(text)));

    [Fact]
    public void Tcp_counters_are_found_by_name() => Assert.Equal(new TcpCounters(2000, 30), SnmpParser.Tcp(Bytes(Snmp)));

    [Theory]
    [InlineData("")]
    [InlineData("Tcp: OutSegs RetransSegs\n")]
    [InlineData("Tcp: OutSegs RetransSegs\nTcp: 1 2")]
    [InlineData("Tcp: OutSegs RetransSegs\nTcp: 1\n")]
    [InlineData("Tcp: OutSegs RetransSegs\nUdp: 1 2\n")]
    [InlineData("Tcp: OutSegs\nTcp: 1\n")]
    [InlineData("Tcp: OutSegs RetransSegs\nTcp: -1 2\n")]
    [InlineData("Tcp: OutSegs RetransSegs\nTcp: 18446744073709551616 2\n")]
    public void Tcp_counters_that_are_not_there_are_none(string text) => Assert.Null(SnmpParser.Tcp(Bytes(text)));

    [Theory]
    [InlineData("00000001 00000000 0000000a 0 0\n0000ffff 00000000 00000006 0 0\n", 16UL)]
    [InlineData("1 2 ffffffff\n1 2 ffffffff\n", 0x1FFFFFFFEUL)]
    [InlineData("1 2 3\n", 3UL)]
    [InlineData("", null)]
    [InlineData("1 2\n", null)]
    [InlineData("1 2 3\n1 2", null)]
    [InlineData("1 2 3", null)]
    [InlineData("1 2 g\n", null)]
    [InlineData("1 2 100000000\n", null)]
    [InlineData("1 2 123456789\n", null)]
    public void Squeezes_are_summed_over_cpus(string text, ulong? expected) => Assert.Equal(expected, SoftnetParser.TimeSqueezes(Bytes(text)));

    [Theory]
    [InlineData("0\n", 0UL)]
    [InlineData("18446744073709551615\n", ulong.MaxValue)]
    [InlineData("18446744073709551616\n", null)]
    [InlineData("1", null)]
    [InlineData("1\n2\n", null)]
    [InlineData("+1\n", null)]
    [InlineData("", null)]
    public void A_number_is_one_whole_line(string text, ulong? expected) => Assert.Equal(expected, NumberParser.Parse(Bytes(text)));

    [Theory]
    [InlineData("0\n", "0")]
    [InlineData("0-3,7\n", "0 1 2 3 7")]
    [InlineData("7,0-1,1-2", "0 1 2 7")]
    [InlineData("8191\n", "8191")]
    [InlineData("\n", "")]
    [InlineData("(null)\n", "")]
    public void Cpu_lists_are_sets(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', CpuList.Parse(Bytes(text))!.Value.Select(c => c.ToString(CultureInfo.InvariantCulture))));

    [Theory]
    [InlineData("a")]
    [InlineData("3-1")]
    [InlineData("0-")]
    [InlineData("-1")]
    [InlineData("0,,1")]
    [InlineData("0,")]
    [InlineData("8192")]
    [InlineData("0-99999999999999999999")]
    [InlineData("+1")]
    public void What_is_no_cpu_list_is_none(string text) => Assert.Null(CpuList.Parse(Bytes(text)));

    [Fact]
    public void A_printed_cpu_list_is_read_back() => Gen.Int[0, CpuList.MaxCpus - 1].Array[1, 20].Sample(cpus =>
    {
        var list = CpuList.Parse(Bytes(string.Join(',', cpus) + "\n"))!.Value;
        return list.SequenceEqual(cpus.Distinct().Order()) && CpuList.Count(Bytes(string.Join(',', cpus))) == list.Length;
    });

    [Fact]
    public void Any_bytes_and_any_beginning_of_a_file_are_read_without_failing()
    {
        static void ReadAll(ReadOnlySpan<byte> bytes)
        {
            _ = PsiParser.Parse(bytes);
            _ = LoadParser.OneMinute(bytes);
            _ = LoadParser.Threads(bytes);
            _ = SnmpParser.Tcp(bytes);
            _ = SoftnetParser.TimeSqueezes(bytes);
            _ = CpuList.Parse(bytes);
            _ = NumberParser.Parse(bytes);
        }

        Gen.Byte.Array[0, 64].Sample(bytes => ReadAll(bytes));
        Gen.Int[0, 9].Array[0, 40].Sample(picks => ReadAll([.. picks.Select(p => (byte)" \n\t09-.,fx"[p])]));
        foreach (var text in new[] { Psi, Snmp })
        {
            for (var length = 0; length < text.Length; length++)
            {
                var cut = Bytes(text)[..length];
                ReadAll(cut);
                // Never half a number: what is read from a part is what the whole says.
                Assert.True(PsiParser.Parse(cut) is not { } psi || psi.Some == PsiParser.Parse(Bytes(Psi))!.Value.Some);
                Assert.True(SnmpParser.Tcp(cut) is not { } tcp || tcp == SnmpParser.Tcp(Bytes(Snmp)));
            }
        }
    }

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
