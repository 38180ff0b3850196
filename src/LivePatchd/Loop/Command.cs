// What others may ask of the loop: posted from the bus thread and from signal handlers, carried out between two looks.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Loop;

/// <param name="Call">The bus call that waits for the answer; null when nobody waits.</param>
internal abstract record Command(BusCall? Call)
{
    /// <param name="OverrideGates">No gate counts for this one request.</param>
    /// <param name="MustConfirm">Somebody must confirm the patch before its soak ends.</param>
    /// <param name="Deadline">The gates hold it no longer than this; null for as long as the budget lasts.</param>
    /// <param name="Downgrade">What is in the directory now may be loaded although its stream is further.</param>
    internal sealed record Apply(
        BusCall? Call, PatchName Name, bool OverrideGates = false, bool MustConfirm = false, DateTimeOffset? Deadline = null, bool Downgrade = false) : Command(Call)
    {
        /// <summary>A program of the boot asks, not a person: the patch waits for the boot's end.</summary>
        public bool WaitsForBoot { get; init; }
    }

    internal sealed record Confirm(BusCall? Call, PatchName Name, uint Uid) : Command(Call);

    /// <summary>Out of quarantine.</summary>
    internal sealed record Release(BusCall? Call, PatchName Name, uint Uid) : Command(Call);

    /// <param name="OverrideGates">No gate counts for this one request.</param>
    /// <param name="AndSuperseded">What the patch replaced is not loaded again in its place.</param>
    internal sealed record Revert(BusCall? Call, PatchName Name, bool OverrideGates = false, bool AndSuperseded = false) : Command(Call);

    /// <param name="Token">Of the report of the blockers that the operator has seen.</param>
    internal sealed record Force(BusCall? Call, PatchName Name, string Token) : Command(Call);

    /// <summary>The descriptor is the command's own: whoever carries it out disposes it.</summary>
    internal sealed record Stage(BusCall? Call, SafeFileHandle File, string FileName) : Command(Call)
    {
        /// <summary>The descriptor is of a file of our own, which no other file system can hold up.</summary>
        public bool IsOwn { get; init; }

        /// <summary>The manifest and its signature, where they came along.</summary>
        public ImmutableArray<StagedFile> Beside { get; init; } = [];

        public void Close()
        {
            File.Dispose();
            foreach (var one in Beside)
                one.File.Dispose();
        }
    }

    /// <summary>The descriptor is the command's own: whoever carries it out disposes it.</summary>
    internal sealed record PlanFile(BusCall? Call, SafeFileHandle File, string FileName) : Command(Call)
    {
        /// <inheritdoc cref="Stage.IsOwn"/>
        public bool IsOwn { get; init; }
    }

    internal sealed record Unstage(BusCall? Call, PatchName Name) : Command(Call);

    internal sealed record Cancel(BusCall? Call, uint Job) : Command(Call);

    internal sealed record Reload(BusCall? Call) : Command(Call);

    /// <summary>Not the loop's to carry out: it is asked for most when the loop is in trouble.</summary>
    internal sealed record Diagnose(BusCall? Call) : Command(Call);

    /// <param name="Until">Null: until it is taken back.</param>
    internal sealed record Hold(BusCall? Call, string Why, DateTimeOffset? Until, uint Uid) : Command(Call);

    internal sealed record Unhold(BusCall? Call) : Command(Call);

    /// <param name="Call">Answered with the descriptor that holds the inhibitor.</param>
    internal sealed record Inhibit(BusCall? Call, string Who, string Why, uint Uid) : Command(Call);
}
