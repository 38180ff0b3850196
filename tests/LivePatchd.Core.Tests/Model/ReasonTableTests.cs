// The table of reasons is closed, complete and well-formed.
using System.Text.RegularExpressions;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Model;

public sealed class ReasonTableTests
{
    [Fact]
    public void Every_reason_has_exactly_one_row()
    {
        Assert.Equal(Enum.GetValues<Reason>().Order(), ReasonTable.All.Select(i => i.Reason).Order());
        Assert.Equal(ReasonTable.All.Length, ReasonTable.All.Select(i => i.Word).Distinct().Count());
    }

    [Fact]
    public void Words_are_kebab_case_and_texts_are_sentences()
    {
        Assert.All(ReasonTable.All, info =>
        {
            Assert.Matches(new Regex("^[a-z]+(-[a-z]+)*$"), info.Word);
            Assert.EndsWith(".", info.Sentence, StringComparison.Ordinal);
            Assert.NotEmpty(info.NextStep);
            Assert.True(info.Sentence.Length <= 160, info.Word);
        });
    }

    [Fact]
    public void The_word_of_a_reason_is_its_name()
    {
        Assert.All(ReasonTable.All, info =>
            Assert.Equal(info.Reason.ToString(), string.Concat(info.Word.Split('-').Select(w => char.ToUpperInvariant(w[0]) + w[1..]))));
    }

    [Fact]
    public void Every_reason_has_its_own_message_id_an_exit_code_and_an_error_of_the_contract()
    {
        int[] exitCodes = [1, 3, 5, 6, 69, 75];
        string[] errors =
        [
            "NotAuthorized", "Held", "Stalled", "Quarantined", "WrongKernel", "BadSignature", "NameConflict", "Busy", "NoSuchPatch", "InvalidArgument", "LimitsExceeded",
        ];
        Assert.Equal(ReasonTable.All.Length, ReasonTable.All.Select(i => i.Reason.MessageId()).Distinct().Count());
        Assert.All(ReasonTable.All, info =>
        {
            Assert.Matches(new Regex("^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$"), info.Reason.MessageId());
            Assert.Contains(info.Reason.ExitCode(), exitCodes);
            Assert.Contains(info.Reason.BusError(), errors);
        });
    }

    [Theory]
    [InlineData(Reason.WrongKernel, "57e7fe1b4ba189febd46c7dfbe191e4c", 6, "WrongKernel")]
    [InlineData(Reason.FtraceDisabled, "", 75, "Held")]
    [InlineData(Reason.ObserveMode, "", 3, "Held")]
    [InlineData(Reason.IoPressure, "", 75, "Held")]
    [InlineData(Reason.TransitionStalled, "", 5, "Stalled")]
    [InlineData(Reason.SignatureRequired, "", 6, "BadSignature")]
    [InlineData(Reason.NameInUse, "", 75, "NameConflict")]
    public void What_programs_rely_on_does_not_change(Reason reason, string messageId, int exitCode, string error)
    {
        if (messageId.Length > 0)
            Assert.Equal(messageId, reason.MessageId());
        Assert.Equal(exitCode, reason.ExitCode());
        Assert.Equal(error, reason.BusError());
    }

    [Fact]
    public void Every_state_word_parses_back()
    {
        Assert.All(Enum.GetValues<PatchState>(), s => Assert.Equal(s, PatchStates.Parse(s.Word())));
        Assert.Null(PatchStates.Parse("Active"));
    }
}
