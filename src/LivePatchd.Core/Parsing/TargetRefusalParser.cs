// Recognises the kernel's line about a module that was kept out because a loaded patch could not be applied to it.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Parsing;

/// <summary>"livepatch: patch 'x' failed for module 'y', refusing to load module 'y'" (kernel/livepatch/core.c).</summary>
public readonly record struct TargetRefusal(PatchName Patch, string Module)
{
    private const string Head = "livepatch: patch '";
    private const string Middle = "' failed for module '";
    private const string Tail = "', refusing to load module '";
    private const int MaxModule = 64;

    /// <param name="message">Of the kernel itself: programs may write the same words.</param>
    public static TargetRefusal? Parse(string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (!message.StartsWith(Head, StringComparison.Ordinal) || !message.EndsWith('\''))
            return null;
        var middle = message.IndexOf(Middle, StringComparison.Ordinal);
        var tail = message.IndexOf(Tail, StringComparison.Ordinal);
        if (middle < Head.Length || tail < middle + Middle.Length || PatchName.TryParse(message.AsSpan(Head.Length, middle - Head.Length)) is not { } patch)
            return null;
        var module = message[(middle + Middle.Length)..tail];
        return module.Length is > 0 and <= MaxModule && message.AsSpan(tail + Tail.Length).TrimEnd('\'').SequenceEqual(module)
            ? new TargetRefusal(patch, Printable.Line(module))
            : null;
    }
}
