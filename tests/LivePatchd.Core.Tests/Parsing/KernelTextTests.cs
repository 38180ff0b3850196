// The one-value files of sysfs and procfs, and the build-id note.
using System.Text;
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class KernelTextTests
{
    [Theory]
    [InlineData("1\n", true)]
    [InlineData("0\n", false)]
    [InlineData("Y\n", true)]
    [InlineData("N", false)]
    [InlineData("", null)]
    [InlineData("2\n", null)]
    [InlineData("11", null)]
    [InlineData("1 ", null)]
    public void SysfsBool_reads_what_the_kernel_writes(string text, bool? expected) =>
        Assert.Equal(expected, SysfsBool.Parse(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData("[none] integrity confidentiality\n", LockdownLevel.None)]
    [InlineData("none [integrity] confidentiality\n", LockdownLevel.Integrity)]
    [InlineData("none integrity [confidentiality]\n", LockdownLevel.Confidentiality)]
    [InlineData("", LockdownLevel.None)]
    public void Lockdown_is_the_level_in_brackets(string text, LockdownLevel expected) =>
        Assert.Equal(expected, LockdownParser.Parse(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData("Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t0000000000010000\n", true)]
    [InlineData("CapEff:\t000001ffffffffff\nCapBnd:\t0\n", true)]
    [InlineData("CapEff:\t000001fffffeffff\n", false)]
    [InlineData("CapPrm:\t000001ffffffffff\n", false)]
    [InlineData("CapEff:\tzz\n", false)]
    [InlineData("CapEff:\n", false)]
    [InlineData("", false)]
    public void Loading_needs_the_capability_in_the_effective_set(string status, bool expected) =>
        Assert.Equal(expected, ProcStatusCaps.CanLoadModules(Encoding.ASCII.GetBytes(status)));

    [Fact]
    public void The_build_id_is_found_behind_other_notes()
    {
        byte[] notes =
        [
            .. ModuleImage.Note("Linux\0"u8.ToArray(), 1, [9, 9]),
            .. ModuleImage.Note("GNU\0"u8.ToArray(), 5, [1]),
            .. ModuleImage.Note("GNU\0"u8.ToArray(), 3, [0xAB, 0xCD, 0xEF]),
        ];
        Assert.Equal("abcdef", BuildIdNote.Parse(notes)?.Hex);
        Assert.Equal("abcdef", BuildIdNote.Parse(notes.AsSpan(0, notes.Length - 1))?.Hex); // without its last padding
    }

    [Fact]
    public void Damaged_notes_give_none()
    {
        Assert.Null(BuildIdNote.Parse([]));
        Assert.Null(BuildIdNote.Parse(ModuleImage.Note("GNU\0"u8.ToArray(), 3, [])));
        Assert.Null(BuildIdNote.Parse(ModuleImage.Note("GNU\0"u8.ToArray(), 3, new byte[65])));
        Assert.Null(BuildIdNote.Parse([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 3, 0, 0, 0, 1, 2, 3]));
        Assert.Null(BuildIdNote.Parse(ModuleImage.Note("GNU\0"u8.ToArray(), 3, [1, 2, 3, 4]).AsSpan(0, 19)));
    }

    [Fact]
    public void Any_bytes_are_read_without_failing()
    {
        Gen.Byte.Array[0, 64].Sample(bytes =>
        {
            _ = BuildIdNote.Parse(bytes);
            _ = SysfsBool.Parse(bytes);
            _ = LockdownParser.Parse(bytes);
            _ = ProcStatusCaps.CanLoadModules(bytes);
        });
    }

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("a\nb\tc\u001b[31m", "a?b?c?[31m")]
    [InlineData("right\u202Eto left", "right?to left")]
    [InlineData("line\u2028two\uFEFF", "line?two?")]
    [InlineData("größe 😀", "größe 😀")]
    public void Printable_lines_disturb_nothing(string text, string expected) => Assert.Equal(expected, Printable.Line(text));

    [Fact]
    public void Broken_surrogates_do_not_print() => Assert.Equal("?x", Printable.Line(['\ud800', 'x']));

    [Fact]
    public void Printable_lines_are_cut() => Assert.Equal("abc…", Printable.Line("abcdef", 3));
}
