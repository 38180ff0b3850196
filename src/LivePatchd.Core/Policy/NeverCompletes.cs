// Recognises a transition that no waiting can complete: the main function of a kernel thread is among those that change.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

public static class NeverCompletes
{
    /// <summary>
    /// The kernel switches a task once none of the changed functions is on its stack. A kernel thread's main function is on its stack
    /// for as long as the thread lives. <paramref name="stack"/> is innermost first; without the frame of kthread() nothing is concluded.
    /// </summary>
    public static bool IsMainFunction(ImmutableArray<StackFrame> stack, PatchName patch, IReadOnlySet<string> functions)
    {
        for (var i = stack.Length - 1; i > 0; i--)
        {
            if (stack[i] is { Symbol: "kthread", Module: null })
                return IsChanged(stack[i - 1], patch, functions);
            if (!stack[i].Symbol.StartsWith("ret_from_fork", StringComparison.Ordinal))
                return false;
        }
        return false;
    }

    /// <summary>The innermost function on the stack that the transition changes; null when there is none.</summary>
    public static string? ChangedFunction(ImmutableArray<StackFrame> stack, PatchName patch, IReadOnlySet<string> functions)
    {
        foreach (var frame in stack)
        {
            if (IsChanged(frame, patch, functions))
                return frame.Symbol;
        }
        return null;
    }

    // While disabling, what must leave the stack is the patch's own code, whatever the names of its functions.
    private static bool IsChanged(StackFrame frame, PatchName patch, IReadOnlySet<string> functions) =>
        frame.Module == patch.Value || functions.Contains(frame.Symbol);
}
