// What systemd is asked for probations: failed units before a load and when one fails, and rounds of checks. Answers come when they come; the loop never waits.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Linux;
using LivePatchd.Linux.Config;
using LivePatchd.Log;
using LivePatchd.Systemd;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only. Nothing is asked and no thread runs while nothing is loaded or on probation.</summary>
/// <param name="ring">Makes the loop look; from other threads.</param>
internal sealed class HealthDesk(BusAddress bus, SystemRoot root, MonotonicClock clock, Action ring, DaemonLog log) : IDisposable
{
    /// <summary>One service or many: a round is over by then.</summary>
    public static readonly TimeSpan RoundLimit = TimeSpan.FromSeconds(90);

    /// <summary>A load waits no longer for systemd; without an answer its units are not judged later.</summary>
    public static readonly TimeSpan ListingPatience = TimeSpan.FromSeconds(3);

    /// <summary>However many units fail, they are listed no more often.</summary>
    private static readonly TimeSpan BetweenListings = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ListingLasts = TimeSpan.FromSeconds(10);

    /// <summary>A round whose required services could not be started is tried again after this.</summary>
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(30);

    private sealed record Listing(Instant At, BusResult<ImmutableArray<string>> Failed)
    {
        public ImmutableDictionary<string, UnitFacts> Facts { get; init; } = ImmutableDictionary<string, UnitFacts>.Empty;
    }

    private sealed record Round(Instant BeganAt, ImmutableArray<DueRound> Due, Listing Listed, ImmutableArray<UnitRun> Runs);

    private readonly SideThread<Listing> lister = new("failed units", ring, log);
    private readonly SideThread<Round> checker = new("health checks", ring, log);
    private readonly UnitWatch watch = new(bus, ring, log);
    private readonly BusWake cancel = new();
    private Listing? listing;
    private Instant? listedForNews;
    private Instant? listingAsked;
    private Instant? rest;
    private ImmutableArray<string> told = [];

    /// <summary>Of the newest listing; null when systemd could not be asked.</summary>
    public ImmutableArray<string>? Failed => listing is { Failed: { IsOk: true, Value: var units } } ? units : null;

    /// <summary>More of those units, where systemd said it.</summary>
    public ImmutableDictionary<string, UnitFacts> Facts => listing?.Facts ?? ImmutableDictionary<string, UnitFacts>.Empty;

    /// <summary>Begin of the last round of each patch that is over.</summary>
    public ImmutableDictionary<PatchName, Instant> CheckedAt { get; private set; } = ImmutableDictionary<PatchName, Instant>.Empty;

    /// <summary>Checks that ended at the last <see cref="Collect"/>.</summary>
    public ImmutableArray<CheckResult> Results { get; private set; } = [];

    /// <summary>The services of the operator's directory, read now.</summary>
    public ImmutableArray<CheckUnit> ReadUnits()
    {
        var checks = HealthDirectory.Read(root);
        if (!checks.Problems.SequenceEqual(told))
        {
            foreach (var problem in checks.Problems.Except(told))
                log.Problem(EventKind.HealthCheck, $"{problem}; left out");
            told = checks.Problems;
        }
        return [.. checks.Required.Select(u => new CheckUnit(u, Required: true)), .. checks.Wanted.Select(u => new CheckUnit(u, Required: false))];
    }

    /// <summary>What has been answered since the last call. Patches that are no longer on probation are forgotten.</summary>
    public void Collect(IEnumerable<PatchName> onProbation, Instant now)
    {
        CheckedAt = CheckedAt.RemoveRange(CheckedAt.Keys.Except(onProbation));
        Results = [];
        if (lister.Collect() is { } listed)
            Take(listed);
        if (checker.Collect() is { } round)
            Take(round, now);
    }

    /// <summary>Between the rounds too, a unit that fails is listed: at once, and then once a second at most.</summary>
    /// <param name="wanted">A patch is on probation that is judged by failed units; else nobody listens.</param>
    /// <returns>When to look again for its sake; null when nothing waits, or an answer will ring.</returns>
    public Instant? Follow(bool wanted, Instant now)
    {
        watch.Follow(wanted);
        if (!watch.HasNews || lister.IsBusy)
            return null;
        if (listedForNews?.After(BetweenListings) is { } next && now.IsBefore(next))
            return next;
        // Before the question: what fails while it is answered is asked for again.
        watch.TakeNews();
        listedForNews = now;
        lister.Ask(() => Ask(clock.Now()));
        return null;
    }

    /// <summary>Failed units are known as of now, or systemd has had its time to say.</summary>
    public bool MayLoad(Instant now)
    {
        if (listing is { } known && now.Since(known.At) < ListingLasts)
        {
            listingAsked = null;
            return true;
        }
        if (!lister.IsBusy)
        {
            listingAsked = now;
            lister.Ask(() => Ask(clock.Now()));
        }
        if (now.Since(listingAsked ??= now) < ListingPatience)
            return false;
        (listing, listingAsked) = (null, null);
        return true;
    }

    /// <summary>When a load that waits for a listing goes without one; null when none waits.</summary>
    public Instant? ListingDue => listingAsked?.After(ListingPatience);

    /// <summary>Begins the rounds that are due, all patches' at once, unless one is under way.</summary>
    /// <param name="next">When the next one falls due.</param>
    /// <returns>When to look again for their sake; null when an answer will ring.</returns>
    public Instant? Begin(ImmutableArray<DueRound> due, Instant? next, Instant now)
    {
        if (checker.IsBusy)
            return null;
        if (rest is { } until && now.IsBefore(until) && !due.IsEmpty)
            return until;
        rest = null;
        if (due.IsEmpty)
            return next is { } at && now.IsBefore(at) ? at : null;
        var units = due.SelectMany(d => d.Units).Select(u => u.Name).Distinct(StringComparer.Ordinal).ToImmutableArray();
        watch.Renew();
        checker.Ask(() => Check(due, units, clock.Now()));
        return null;
    }

    public void Dispose()
    {
        cancel.Set();
        watch.Dispose();
        lister.Dispose();
        checker.Dispose();
        cancel.Dispose();
    }

    private Listing Ask(Instant now)
    {
        var opened = SystemdClient.Connect(bus);
        if (!opened.IsOk)
            return new(now, opened.Error);
        using var systemd = opened.Value;
        return List(systemd, now);
    }

    private Round Check(ImmutableArray<DueRound> due, ImmutableArray<string> units, Instant began)
    {
        var opened = SystemdClient.Connect(bus);
        if (!opened.IsOk)
            return new(began, due, new(began, opened.Error), [.. units.Select(u => new UnitRun(u, null, opened.Error.Message))]);
        using var systemd = opened.Value;
        var runs = UnitRuns.Run(systemd, units, RoundLimit, cancel, clock.Provider);
        // After them: a check may show its finding by what it leaves failed.
        return new(began, due, List(systemd, clock.Now()), runs);
    }

    private static Listing List(SystemdClient systemd, Instant now)
    {
        var failed = systemd.FailedUnits();
        return new(now, failed) { Facts = failed.IsOk ? systemd.Facts(failed.Value) : ImmutableDictionary<string, UnitFacts>.Empty };
    }

    private void Take(Listing listed)
    {
        if (listing is null || !listed.At.IsBefore(listing.At))
            listing = listed;
    }

    private void Take(Round round, Instant now)
    {
        Take(round.Listed);
        var runs = round.Runs.ToDictionary(r => r.Unit, StringComparer.Ordinal);
        Results =
        [
            .. round.Due.SelectMany(d => d.Units).DistinctBy(u => (u.Name, u.Required))
                .Where(u => runs.TryGetValue(u.Name, out var run) && run.Passed is not null)
                .Select(u => new CheckResult(u, round.BeganAt, runs[u.Name].Passed!.Value, runs[u.Name].Detail)),
        ];
        foreach (var bad in round.Runs.Where(r => r.Passed is not true))
            log.Problem(EventKind.HealthCheck, $"Health check {bad.Unit}: {bad.Detail}");
        foreach (var due in round.Due)
        {
            if (due.Units.Any(u => u.Required && runs.GetValueOrDefault(u.Name)?.Passed is null))
                rest = now.After(AfterFailure);
            else
                CheckedAt = CheckedAt.SetItem(due.Name, round.BeganAt);
        }
    }
}
