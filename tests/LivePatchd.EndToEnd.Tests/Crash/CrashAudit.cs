// The books after a run: calls into the kernel, files on disk, the journal.
using LivePatchd.Core.Recovery;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal sealed class CrashAudit(int seed, CrashTally tally, TestHost host, WishModel model, string[] names, string story)
{
    public const string Boot = "11111111-1111-4111-8111-111111111111";

    /// <param name="foreign">The foreign patch, if it is still loaded.</param>
    /// <param name="hadForeign">There was one.</param>
    public void Check(string? foreign, bool hadForeign)
    {
        var calls = host.Kernel.Calls;
        foreach (var twice in calls.Where(c => c.StartsWith("load ", StringComparison.Ordinal) && c.EndsWith(" EEXIST", StringComparison.Ordinal)))
            Found(Finding.DoubleLoad, $"{twice}: the module was in the kernel");
        foreach (var name in names)
        {
            var (arrivals, departures) = model.Changes(name);
            var loads = calls.Count(c => c == $"load {name} ok");
            if (loads > arrivals)
                Found(Finding.DoubleLoad, $"{name} was loaded {loads} times and wanted anew {arrivals} times");
            var disables = calls.Count(c => c == $"disable {name} ok");
            if (disables > departures)
                Found(Finding.UnexpectedUnload, $"{name} was taken out {disables} times and unwanted {departures} times");
        }
        foreach (var stranger in calls.Where(c => !names.Contains(c.Split(' ')[1])))
            Found(Finding.ForeignTouched, stranger);
        if (hadForeign && (foreign is null || !host.Kernel.Modules[foreign].Active))
            Found(Finding.ForeignTouched, "the foreign patch is not active any more");
        Files();
        Journal();
    }

    private void Files()
    {
        foreach (var path in Directory.EnumerateFileSystemEntries(host.Root.Path("/var/lib/livepatchd"), "*", SearchOption.AllDirectories))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith(".tmp-", StringComparison.Ordinal) || name.StartsWith(".staging-", StringComparison.Ordinal) || name.EndsWith(".part", StringComparison.Ordinal))
                Found(Finding.OrphanFile, path);
        }
        var wanted = model.Files.Values.Select(p => p.Digest).ToHashSet();
        foreach (var copy in Directory.EnumerateFiles(host.Root.Path("/var/lib/livepatchd/store")))
        {
            // A compressed file is known by the digest of its compressed bytes.
            if (!wanted.Contains(Path.GetFileNameWithoutExtension(copy)) && !model.HasFile("lp_zip"))
                Found(Finding.OrphanFile, $"nobody wants the copy {copy}");
        }
    }

    private void Journal()
    {
        var content = JournalCodec.Decode(File.ReadAllBytes(host.Root.Path(TestHost.JournalPath)));
        if (content.Damage is { } damage)
        {
            Found(Finding.ModelDiffers, $"the journal is damaged: {damage}");
            return;
        }
        var owned = LedgerFold.Replay(content.Records, Boot).Owned.Keys.Select(n => n.Value).Order();
        var loaded = host.Kernel.Modules.Keys.Where(names.Contains).Order().ToList();
        if (!owned.SequenceEqual(loaded))
            Found(Finding.ModelDiffers, $"the journal owns {string.Join(", ", owned)}, the kernel has {string.Join(", ", loaded)}");
    }

    private void Found(Finding kind, string text) => tally.Found(kind, $"seed {seed}: {text}\n{story}");
}
