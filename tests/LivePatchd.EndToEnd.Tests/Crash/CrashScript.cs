// One seed: a random script of files and requests on a host whose daemon is killed again and again, then the books are compared.
using System.IO.Compression;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal sealed class CrashScript : IAsyncDisposable
{
    public const string Cumulative = "lp_all";

    private const string Foreign = "lp_foreign";

    private readonly Random random;
    private readonly CrashTally tally;
    private readonly CrashHostRun run;
    private readonly WishModel model = new();
    private readonly string[] names;
    private readonly int kills;
    private readonly bool soaks;
    private readonly List<string> did = [];
    private bool held;

    public CrashScript(int seed, CrashTally tally, int kills)
    {
        random = new Random(seed);
        this.tally = tally;
        this.kills = kills;
        run = new CrashHostRun(tally);
        Seed = seed;
        var withCumulative = seed % 3 == 0;
        names = withCumulative ? ["lp_a", "lp_b", Cumulative] : ["lp_a", "lp_b", "lp_c"];
        soaks = seed % 4 == 1;
        Configure("5m, max: 6h");
        Host.Write("/sys/kernel/oops_count", "0\n");
        Kernel.Replaced += model.Replace;
        Kernel.Registered += model.Loaded;
        run.Arm = () => run.Deaths < kills ? tally.Choose(random, rare: 5, any: 1) : [];
        run.Dead = TearJournal;
        // A cumulative patch of the kernel's own accord replaces foreign ones as well.
        if (!withCumulative)
            Kernel.Insmod(new Patch(Foreign));
    }

    private void Configure(string backoff) => Host.Configure(
        $"transition: {{reverse-after: 1d, attempts: 100, backoff: {{first: {backoff}}}}}\ndeferral: {{budget: 30d}}\n",
        soak: soaks ? "duration: 1h, checks: {units: false}" : "duration: 0s",
        grace: Graces ? "250ms" : "0s");

    public int Seed { get; }

    /// <summary>A file that is removed and dropped again soon may be no change at all: the model's changes are the most that there may be.</summary>
    private bool Graces => Seed % 2 == 1;

    private TestHost Host => run.Host;

    private TestKernel Kernel => run.Host.Kernel;

    public async Task Play(int steps)
    {
        for (var i = 0; i < steps || (run.Deaths < kills && i < 4 * steps); i++)
        {
            await Step();
            await run.Ensure();
            if (random.Next(3) > 0)
                await Settle();
        }
        await Linger();
        run.Arm = static () => [];
        await End();
        tally.Ran(Kernel.Calls.Count(c => c.StartsWith("load ", StringComparison.Ordinal) && c.EndsWith(" ok", StringComparison.Ordinal)));
    }

    public async ValueTask DisposeAsync() => await run.DisposeAsync();

    private string Any() => names[random.Next(names.Length)];

    private Patch Build(string name) => new(name, random.Next(1, 4)) { Replace = name == Cumulative };

    private void Did(string what) => did.Add(what);

    private async Task Step()
    {
        var name = Any();
        switch (random.Next(20))
        {
            case < 5:
                Drop(Build(name));
                break;
            case < 8:
                Remove(name + ".ko");
                break;
            case < 10:
                await Revert(name);
                break;
            case < 12:
                await Apply(name);
                break;
            case 12:
                await Stage(Build(name));
                break;
            case 13:
                await Unstage(name);
                break;
            case 14:
                await HoldOrNot();
                break;
            case 15:
                DropOthers();
                break;
            case 16:
                Remove(random.Next(2) == 0 ? "lp_zip.ko.gz" : "lp_bad.ko");
                break;
            case 17:
                await Reverse(name);
                break;
            case 18:
                await Adopt(name);
                break;
            default:
                Did("busy for a moment");
                Kernel.Busy = true;
                Drop(Build(name));
                await Task.Delay(random.Next(30), CancellationToken.None);
                Idle();
                break;
        }
    }

    private void Drop(Patch patch)
    {
        Did($"drop {patch.Name} build {patch.Build}");
        model.Put(patch.FileName, patch);
        Host.Drop(patch);
    }

    private void Remove(string fileName)
    {
        Did($"remove {fileName}");
        model.Take(fileName);
        Host.Remove(fileName);
    }

    /// <summary>A compressed patch, one that is refused, one that the kernel refuses.</summary>
    private void DropOthers()
    {
        Drop(new Patch("lp_bad") { Release = "5.0.0" });
        Drop(new Patch("lp_fail") { Answer = Errno.EINVAL });
        var zipped = Build("lp_zip");
        Did($"drop lp_zip.ko.gz build {zipped.Build}");
        model.Put("lp_zip.ko.gz", zipped);
        using var content = new MemoryStream();
        using (var gzip = new GZipStream(content, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(zipped.Bytes);
        Host.Drop("lp_zip.ko.gz", content.ToArray());
    }

    private async Task Revert(string name)
    {
        Did($"revert {name}");
        var before = model.IsReverted(name);
        model.Revert(name);
        var answer = await run.Answered(v => v.Ask("Revert", name));
        if (!answer.IsOk)
            Refused(name, before);
        Did($"revert {name} answered {(answer.IsOk ? "yes" : answer.Error.ToString())}");
    }

    private async Task Apply(string name)
    {
        Did($"apply {name}");
        var known = await run.Answered(v => v.Ask("Apply", name));
        if (known.IsOk)
            model.Apply(name);
        else
            Refused(name, model.IsReverted(name));
        Did($"apply {name} answered {(known.IsOk ? "yes" : known.Error.ToString())}");
    }

    /// <summary>A request that died unanswered may be in the journal all the same: then that is what counts.</summary>
    private void Refused(string name, bool before)
    {
        if (run.Attempts == 1)
        {
            model.Refused(name, before, isReplaced: true);
            return;
        }
        var ledger = LedgerFold.Replay(JournalCodec.Decode(File.ReadAllBytes(Host.Root.Path(TestHost.JournalPath))).Records, CrashAudit.Boot);
        model.Refused(name, ledger.Reverted.Contains(PatchName.Parse(name)), ledger.Superseded.ContainsKey(PatchName.Parse(name)));
    }

    private async Task Stage(Patch patch)
    {
        Did($"stage {patch.Name} build {patch.Build}");
        model.Put(patch.FileName, patch);
        var path = Path.Combine(Host.Directory, $"staged-{Guid.NewGuid():N}");
        await File.WriteAllBytesAsync(path, patch.Bytes, CancellationToken.None);
        var staged = await run.Answered(v =>
        {
            using var file = File.OpenHandle(path);
            return v.Stage(file, patch.FileName);
        });
        var there = Host.Root.Path($"{TestHost.PatchDirectory}/{patch.FileName}");
        if (!staged.IsOk)
            tally.Found(Finding.ModelDiffers, $"seed {Seed}: stage of a good file refused: {staged.Error}");
        else if (!File.Exists(there) || !(await File.ReadAllBytesAsync(there, CancellationToken.None)).AsSpan().SequenceEqual(patch.Bytes))
            tally.Found(Finding.LostOperation, $"seed {Seed}: {patch.FileName} was staged and is not there");
    }

    private async Task Unstage(string name)
    {
        Did($"unstage {name}");
        model.Take(name + ".ko");
        var gone = await run.Answered(v => v.Unstage(name));
        if (gone.IsOk && File.Exists(Host.Root.Path($"{TestHost.PatchDirectory}/{name}.ko")))
            tally.Found(Finding.LostOperation, $"seed {Seed}: {name} was unstaged and its file is there");
        // The daemon had not seen the file yet.
        if (!gone.IsOk)
            Host.Remove(name + ".ko");
    }

    private async Task HoldOrNot()
    {
        if (!held)
        {
            Did("hold");
            held = (await run.Answered(v => v.Hold($"seed {Seed}"))).IsOk;
            return;
        }
        Did("unhold");
        await run.Ensure();
        var kept = await run.Answered(static v => v.Client.GetAll(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, Limit.Call));
        if (!kept.IsOk || (string)kept.Value["HoldWhy"] != $"seed {Seed}")
            tally.Found(Finding.LostOperation, $"seed {Seed}: the hold is gone");
        held = !(await run.Answered(static v => v.Unhold())).IsOk;
    }

    /// <summary>A transition that is open is taken back.</summary>
    private async Task Reverse(string name)
    {
        if (held || Kernel.Has(name))
            return;
        await Apply(name);
        Kernel.Busy = true;
        Drop(Build(name));
        for (var i = 0; i < 200 && !Kernel.InTransition(name); i++)
        {
            await run.Ensure();
            await Task.Delay(5, CancellationToken.None);
        }
        Remove(name + ".ko");
        for (var i = 0; i < 100 && Kernel.InTransition(name) && Kernel.Calls[^1] != $"disable {name} ok"; i++)
        {
            await run.Ensure();
            await Task.Delay(5, CancellationToken.None);
        }
        Idle();
    }

    /// <summary>Somebody else loads the very build that the directory comes to want.</summary>
    private async Task Adopt(string name)
    {
        if (held || model.HasFile(name) || name == Cumulative || names.Contains(Cumulative))
            return;
        await Settle();
        await Apply(name);
        var patch = Build(name);
        // What an operator has reverted is not adopted, and an apply of what has no file is refused.
        if (model.IsReverted(name))
            return;
        if (Kernel.Has(name) || Kernel.TryInsmod(patch) != Errno.None)
            return;
        Did($"insmod {name} build {patch.Build}");
        Drop(patch);
        // Should the file change before the daemon has seen that it is the same build, the module stays somebody else's.
        await Owned(name);
    }

    private async Task Owned(string name)
    {
        for (var patience = new Patience(run); !patience.IsOver;)
        {
            var found = await run.Answered(static v => v.List());
            if (found.IsOk && found.Value.Find(p => p.Name == name) is { State: "active" or "soaking" })
                return;
            await Task.Delay(5, CancellationToken.None);
        }
        tally.Found(Finding.ModelDiffers, $"seed {Seed}: {name} is not adopted\n{Story}");
    }

    private void Idle()
    {
        Kernel.Busy = false;
        Kernel.Complete();
    }

    /// <summary>A kill in the middle of a write leaves half a line.</summary>
    private void TearJournal()
    {
        var journal = Host.Root.Path(TestHost.JournalPath);
        if (random.Next(10) == 0 && File.Exists(journal) && new FileInfo(journal).Length > 0)
            File.AppendAllText(journal, "0123abcd {\"kind\":\"Loa");
    }

    /// <summary>Until the kernel is as it should be; a host that is held stays as it is.</summary>
    private async Task Settle()
    {
        if (held)
            return;
        var patience = new Patience(run);
        while (Differences().FirstOrDefault() is { } difference)
        {
            await run.Ensure();
            if (patience.IsOver)
            {
                tally.Found(Finding.ModelDiffers, $"seed {Seed}: {difference}\n{Story}");
                throw new TimeoutException($"seed {Seed} does not come to rest: {difference}\n{Story}");
            }
            await Task.Delay(3, CancellationToken.None);
        }
    }

    /// <summary>The kernel reports an oops while a patch is on probation: it goes, through kills, and stays out until it is released.</summary>
    private async Task Sicken()
    {
        Drop(new Patch("lp_a", 9));
        await Apply("lp_a");
        await Settle();
        Did("oops");
        // Ten minutes pass between two starts, and a suspect must not be back before it is released.
        Configure("1d, max: 1d");
        run.Arm = () => run.Deaths < kills + 6 ? new() { ["record.quarantined"] = 1, ["disable.after"] = 1, ["record.released"] = 1 } : [];
        Host.Write("/sys/kernel/oops_count", "1\n");
        await run.Stop();
        var patience = new Patience(run);
        while (Kernel.Has("lp_a") && !patience.IsOver)
        {
            await run.Ensure();
            await Task.Delay(3, CancellationToken.None);
        }
        var sick = LedgerFold.Replay(JournalCodec.Decode(await File.ReadAllBytesAsync(Host.Root.Path(TestHost.JournalPath), CancellationToken.None)).Records, CrashAudit.Boot).Quarantined;
        var patches = model.Files.Values.Where(p => sick.ContainsKey(Sha256.TryParse(p.Digest)!.Value)).ToList();
        patches.ForEach(p => model.Quarantine(p.BuildIdHex));
        if (patches.All(p => p.Name != "lp_a"))
            tally.Found(Finding.LostOperation, $"seed {Seed}: lp_a oopsed on probation and is not in quarantine\n{Story}");
        await Settle();
        await run.Stop();
        await run.Ensure();
        await Settle();
        foreach (var patch in patches)
        {
            Did($"release {patch.Name}");
            model.Release(patch.BuildIdHex);
            var released = await run.Answered(v => v.Release(patch.Name));
            // The one before it may have been carried out unanswered.
            if (!released.IsOk && run.Attempts == 1)
                tally.Found(Finding.LostOperation, $"seed {Seed}: {patch.Name} is not released: {released.Error}");
        }
        await Settle();
        run.Arm = static () => [];
        Configure("5m, max: 6h");
    }

    /// <summary>A damaged journal is set aside, through kills; what protects is still known, and after the next start the patches that are wanted are ours again.</summary>
    private async Task LoseJournal()
    {
        Did("damage the journal");
        await run.Stop();
        var journal = Host.Root.Path(TestHost.JournalPath);
        var bytes = await File.ReadAllBytesAsync(journal, CancellationToken.None);
        // The first record is the damaged one; what the others say stands.
        var left = LedgerFold.Replay(JournalCodec.Decode(bytes).Records[1..], CrashAudit.Boot);
        bytes[JournalCodec.VersionLine.Length + 20] ^= 1;
        await File.WriteAllBytesAsync(journal, bytes, CancellationToken.None);
        model.Keep(name => left.Reverted.Contains(PatchName.Parse(name)), name => left.Superseded.ContainsKey(PatchName.Parse(name)));
        run.Arm = () => run.Deaths < kills + 3 ? new() { ["journal.damaged"] = 1 + random.Next(2), ["log.aside.before"] = 1 + random.Next(2), ["log.aside.renamed"] = 1 } : [];
        await run.Ensure();
        // What runs is adopted by the next start, and by one more when that one dies over it.
        run.Arm = () => run.Deaths < kills + 5 ? new() { ["record.adopted"] = 1 } : [];
        await run.Stop();
        await run.Ensure();
        await Settle();
        run.Arm = static () => [];
    }

    private IEnumerable<string> Differences()
    {
        var modules = Kernel.Modules;
        foreach (var name in names.Concat(["lp_zip", "lp_bad", "lp_fail"]))
        {
            var wanted = model.Wanted(name, modules.ContainsKey);
            var found = modules.TryGetValue(name, out var module) ? module.BuildId : null;
            if (wanted != found || (wanted is not null && !module.Active))
                yield return $"{name}: should be {wanted ?? "out"}, is {found ?? "out"}{(module.Active ? "" : ", not active")}";
        }
    }

    /// <summary>The history is written some seconds after an operation: who is to die there is waited for.</summary>
    private async Task Linger()
    {
        var rare = tally.Unhit.Where(p => p.StartsWith("history.", StringComparison.Ordinal)).ToDictionary(p => p, _ => 1);
        if (rare.Count == 0 || held)
            return;
        run.Arm = () => rare;
        await run.Stop();
        Drop(Build("lp_a"));
        await Apply("lp_a");
        var deaths = run.Deaths;
        for (var i = 0; i < 300 && run.Deaths == deaths; i++)
        {
            await run.Ensure();
            await Task.Delay(50, CancellationToken.None);
        }
    }

    private async Task End()
    {
        Idle();
        if (held)
            await HoldOrNot();
        await Settle();
        if (soaks)
            await Sicken();
        if (Seed % 2 == 0)
            await LoseJournal();
        // One more start, and whatever it means to do is done.
        await run.Stop();
        await run.Ensure();
        await Settle();
        var calls = Kernel.Calls.Count;
        for (var i = 0; i < 2; i++)
            BusView.Refused(await run.Answered(static v => v.Ask("Apply", "nobody_has_this_name")), "NoSuchPatch");
        // What the kernel refuses is tried again when its time has come.
        var more = Kernel.Calls.Skip(calls).Where(c => c != "load lp_fail EINVAL").ToList();
        if (more.Count > 0)
            tally.Found(Finding.ModelDiffers, $"seed {Seed}: calls into a kernel that was as it should be: {string.Join(", ", more)}\n{Story}");
        await Try();
        await run.Stop();
        new CrashAudit(Seed, tally, Host, model, [.. names, "lp_zip", "lp_bad", "lp_fail"], Story).Check(Kernel.Modules.ContainsKey(Foreign) ? Foreign : null, !names.Contains(Cumulative));
    }

    /// <summary>A load that the kernel refuses is tried again and again: one that has begun, or is about to, is waited for.</summary>
    private async Task Try()
    {
        var patience = new Patience(run);
        while (!held && !patience.IsOver && await run.Answered(static v => v.List()) is { IsOk: true } list && list.Value.Any(static p => p.State is "staged" or "loading"))
            await Task.Delay(3, CancellationToken.None);
    }

    private string Story => $"did: {string.Join("; ", did)}\nkernel: {string.Join(", ", Kernel.Calls)}\n{Host.Log.Text}";
}
