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
    public void Every_state_word_parses_back()
    {
        Assert.All(Enum.GetValues<PatchState>(), s => Assert.Equal(s, PatchStates.Parse(s.Word())));
        Assert.Null(PatchStates.Parse("Active"));
    }
}
