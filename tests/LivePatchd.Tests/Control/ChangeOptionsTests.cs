// Options of a request: each of its own type and for its own method; what is unknown is refused, never passed over.
using LivePatchd.Control;

namespace LivePatchd.Tests.Control;

public sealed class ChangeOptionsTests
{
    private static (ChangeOptions Options, string? Wrong) Read(bool apply, params (string Key, object Value)[] options) =>
        ChangeOptions.Read(options.ToDictionary(o => o.Key, o => o.Value), apply);

    [Fact]
    public void Read_None_Defaults() => Assert.Equal((default, null), Read(apply: true));

    [Fact]
    public void Read_AllOfAnApply_Taken()
    {
        var (options, wrong) = Read(true, ("override-gates", true), ("confirm", true), ("downgrade", true), ("deadline-usec", 1_000_000ul));
        Assert.Null(wrong);
        Assert.Equal(new ChangeOptions(true, true, DateTimeOffset.UnixEpoch.AddSeconds(1), true), options);
    }

    [Theory]
    [InlineData("confirm")]
    [InlineData("downgrade")]
    public void Read_OptionOfAnApplyWithARevert_Unknown(string key) =>
        Assert.Equal((default, $"this version knows no option \"{key}\""), Read(false, (key, true)));

    [Theory]
    [InlineData("override-gates")]
    [InlineData("confirm")]
    [InlineData("downgrade")]
    public void Read_TextForABoolean_Refused(string key) => Assert.Equal((default, $"option \"{key}\" is a boolean"), Read(true, (key, "yes")));

    [Theory]
    [InlineData(0ul)]
    [InlineData(ulong.MaxValue)]
    public void Read_DeadlineOutsideTheCalendar_Refused(ulong usec) => Assert.NotNull(Read(true, ("deadline-usec", usec)).Wrong);

    [Fact]
    public void Read_DeadlineOfAnotherType_Refused() => Assert.Equal("option \"deadline-usec\" is a uint64", Read(true, ("deadline-usec", 5)).Wrong);

    [Fact]
    public void Read_OneWrongAmongGoodOnes_NoneCounts() =>
        Assert.Equal((default, "this version knows no option \"force\""), Read(true, ("override-gates", true), ("force", true)));
}
