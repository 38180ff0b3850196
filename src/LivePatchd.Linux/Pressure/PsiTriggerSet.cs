// The triggers of one set of marks: armed together, waited for together, let go together.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Pressure;

public sealed class PsiTriggerSet : IDisposable
{
    private PsiTriggerSet(ImmutableArray<PsiTrigger> armed, ImmutableArray<(PressureTrigger Trigger, SysResult Result)> refused)
    {
        Armed = armed;
        Refused = refused;
    }

    public ImmutableArray<PsiTrigger> Armed { get; private set; }

    /// <summary>With the kernel's answer, for the log.</summary>
    public ImmutableArray<(PressureTrigger Trigger, SysResult Result)> Refused { get; private set; }

    /// <summary>Every mark that can be exceeded rings: nothing has to be looked at meanwhile.</summary>
    public bool Complete => Refused.IsEmpty;

    public static PsiTriggerSet Arm(SystemRoot root, ImmutableArray<PressureTrigger> wanted)
    {
        var armed = ImmutableArray.CreateBuilder<PsiTrigger>();
        var refused = ImmutableArray.CreateBuilder<(PressureTrigger, SysResult)>();
        foreach (var trigger in wanted)
        {
            var result = PsiTrigger.Arm(root, trigger);
            if (result.IsOk)
                armed.Add(result.Value);
            else
                refused.Add((trigger, result.WithoutValue));
        }
        return new PsiTriggerSet(armed.ToImmutable(), refused.ToImmutable());
    }

    /// <summary>Those that fired. One whose descriptor broke would ring for ever: it is let go of, and counts as refused from then on.</summary>
    /// <param name="outcomes">Of the wait, in the order of <see cref="Armed"/>.</param>
    public ImmutableArray<PressureTrigger> Collect(ReadOnlySpan<PollOutcome> outcomes)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(outcomes.Length, Armed.Length);
        var fired = ImmutableArray.CreateBuilder<PressureTrigger>();
        var kept = Armed;
        for (var i = 0; i < outcomes.Length; i++)
        {
            var trigger = Armed[i];
            if (outcomes[i] is PollOutcome.Ready)
                fired.Add(trigger.Trigger);
            if (outcomes[i] is not PollOutcome.Broken)
                continue;
            kept = kept.Remove(trigger);
            Refused = Refused.Add((trigger.Trigger, SysResult.Fail(Errno.EIO, "poll")));
            trigger.Dispose();
        }
        Armed = kept;
        return fired.ToImmutable();
    }

    public void Dispose()
    {
        foreach (var trigger in Armed)
            trigger.Dispose();
    }
}
