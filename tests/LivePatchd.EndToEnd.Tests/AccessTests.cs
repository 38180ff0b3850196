// Who may do what: every guarded method as root and as nobody, with every kind of polkit and with none.
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests;

public sealed class AccessTests : IDisposable
{
    private readonly GuardedService service = new();

    public void Dispose()
    {
        service.Dispose();
        Assert.Empty(service.Faults);
    }

    public static TheoryData<string, bool, string> Callers => new()
    {
        // polkit, may ask for a password, what becomes of the call
        { "absent", false, "NotAuthorized" },
        { nameof(PolkitMood.Yes), false, "Ran" },
        { nameof(PolkitMood.No), false, "NotAuthorized" },
        { nameof(PolkitMood.No), true, "NotAuthorized" },
        { nameof(PolkitMood.GoodPassword), true, "Ran" },
        { nameof(PolkitMood.GoodPassword), false, "NotAuthorized" },
        { nameof(PolkitMood.BadPassword), true, "NotAuthorized" },
        { nameof(PolkitMood.Error), true, "NotAuthorized" },
        { nameof(PolkitMood.Garbage), true, "NotAuthorized" },
        { nameof(PolkitMood.Silent), false, "NotAuthorized" },
    };

    [Theory]
    [MemberData(nameof(Callers))]
    public void Nobody_may_do_what_polkit_allows(string polkit, bool interact, string expected)
    {
        using var fake = Enum.TryParse<PolkitMood>(polkit, out var mood) ? new FakePolkit(service.Bus, mood) : null;
        using var client = service.As(UserClient.Nobody, interact);
        var guarded = service.Guarded.ToList();
        foreach (var (path, iface, method) in guarded)
            Assert.Equal($"{method.Name} {expected}", $"{method.Name} {GuardedService.Call(client, path, iface, method.Name, method.InSignature)}");
        Assert.Equal(expected == "Ran" ? guarded.Count - GuardedService.Readers.Length : 0, service.Commands.Count);
        Assert.All(fake?.Questions ?? [], q => Assert.Equal(client.UniqueName, q.Sender));
        Assert.All(fake?.Questions ?? [], q => Assert.Equal(q.Interact, q.Id.Length > 0));
    }

    [Theory]
    [InlineData("absent")]
    [InlineData(nameof(PolkitMood.No))]
    [InlineData(nameof(PolkitMood.Silent))]
    public void Root_may_do_everything_and_polkit_is_not_asked(string polkit)
    {
        using var fake = Enum.TryParse<PolkitMood>(polkit, out var mood) ? new FakePolkit(service.Bus, mood) : null;
        using var client = service.As(0);
        foreach (var (path, iface, method) in service.Guarded)
            Assert.Equal("Ran", GuardedService.Call(client, path, iface, method.Name, method.InSignature));
        Assert.Empty(fake?.Questions ?? []);
    }

    [Theory]
    [InlineData(nameof(PolkitMood.Silent))]
    [InlineData(nameof(PolkitMood.Leaves))]
    public void A_polkit_that_does_not_answer_is_a_no_within_a_second(string mood)
    {
        using var polkit = new FakePolkit(service.Bus, Enum.Parse<PolkitMood>(mood));
        using var client = service.As(UserClient.Nobody, interact: true);
        Assert.Equal("NotAuthorized", GuardedService.Apply(client, "override-gates"));
        Assert.Empty(service.Commands);
        Assert.InRange(AccessQuestion.Patience, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Options_take_actions_of_their_own()
    {
        using var polkit = new FakePolkit(service.Bus, PolkitMood.Yes);
        using var client = service.As(UserClient.Nobody);
        GuardedService.Apply(client, "override-gates");
        Assert.Equal(["apply", "override-gates"], polkit.Actions);
    }

    [Theory]
    [InlineData(GuardedService.ApplyJob, "revert")]
    [InlineData(GuardedService.RevertJob, "apply")]
    public void To_cancel_is_to_ask_for_the_opposite(string job, string action)
    {
        using var polkit = new FakePolkit(service.Bus, PolkitMood.Yes);
        using var client = service.As(UserClient.Nobody);
        Assert.Equal("Ran", GuardedService.Call(client, job, BusNames.Job, "Cancel", ""));
        Assert.Equal([action], polkit.Actions);
    }

    [Fact]
    public async Task A_caller_that_has_gone_gets_nothing_done()
    {
        using var polkit = new FakePolkit(service.Bus, PolkitMood.Silent);
        var leaving = service.As(UserClient.Nobody);
        // Its own limit is over long before the daemon's: it goes while polkit thinks.
        Assert.True(leaving.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Reload", TimeSpan.FromMilliseconds(1)).Error?.IsTimeout);
        await Limit.Until(() => !polkit.Questions.IsEmpty);
        leaving.Dispose();
        using var root = service.As(0);
        await Limit.Until(() => !HasOwner(root, polkit.Questions.First().Sender));
        FakePolkit.Answer(polkit.Questions.First().Call, authorized: true);
        using var staying = service.As(UserClient.Nobody);
        var second = Task.Run(() => GuardedService.Apply(staying), TestContext.Current.CancellationToken);
        await Limit.Until(() => polkit.Questions.Count == 2);
        FakePolkit.Answer(polkit.Questions.Last().Call, authorized: true);
        Assert.Equal("Ran", await second);
        Assert.IsType<Loop.Command.Apply>(Assert.Single(service.Commands));
    }

    [Fact]
    public async Task A_user_has_a_few_requests_open_over_all_its_connections_and_others_are_not_kept_waiting()
    {
        using var polkit = new FakePolkit(service.Bus, PolkitMood.Silent);
        var clients = Enumerable.Range(0, UserRequests.MaxOfOne).Select(_ => service.As(UserClient.Nobody)).ToList();
        try
        {
            foreach (var client in clients)
                client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Reload", TimeSpan.FromMilliseconds(1));
            using var more = service.As(UserClient.Nobody);
            Assert.Equal("LimitsExceeded", GuardedService.Reload(more));
            using var other = service.As(UserClient.Daemon);
            Assert.Equal("NotAuthorized", GuardedService.Reload(other));
            using var root = service.As(0);
            Assert.Equal("Ran", GuardedService.Reload(root));
            // What polkit left unanswered is forgotten by itself.
            await Limit.Until(() => GuardedService.Reload(more) == "NotAuthorized");
        }
        finally
        {
            clients.ForEach(c => c.Dispose());
        }
    }

    [Fact]
    public async Task A_bus_that_dies_over_a_question_ends_it()
    {
        using var polkit = new FakePolkit(service.Bus, PolkitMood.Silent);
        using var client = service.As(UserClient.Nobody);
        client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Reload", TimeSpan.FromMilliseconds(1));
        await Limit.Until(() => !polkit.Questions.IsEmpty);
        service.Bus.Kill();
        await Limit.Until(() => !service.IsOpen);
        Assert.Empty(service.Commands);
    }

    [Fact]
    public void Arguments_that_cannot_be_read_ask_nothing()
    {
        using var polkit = new FakePolkit(service.Bus, PolkitMood.Yes);
        using var client = service.As(UserClient.Nobody);
        var options = Enumerable.Range(0, BusReader.MaxOptions + 1).Select(i => $"o{i}").ToArray();
        Assert.Equal("InvalidArgs", GuardedService.Apply(client, options));
        Assert.Equal("InvalidArgs", GuardedService.Apply(client, new string('o', Authorizer.MaxArguments)));
        Assert.Empty(polkit.Questions);
    }

    private static bool HasOwner(BusClient client, string name) => client.Call(
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", Limit.Call,
        w => w.WriteString(name), "b", static r => r.ReadBool()).Value;
}
