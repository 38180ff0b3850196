// How many requests one asker, and all together, may have open; nobody is remembered without one.
using LivePatchd.Control;

namespace LivePatchd.Tests.Control;

public sealed class OpenRequestsTests
{
    [Fact]
    public void TryEnter_LimitOfOneAndOfAll_RefusesAndForgets()
    {
        var requests = new UserRequests();
        uint users = UserRequests.MaxOfAll / UserRequests.MaxOfOne;
        for (uint user = 1; user <= users; user++)
        {
            for (var i = 0; i < UserRequests.MaxOfOne; i++)
                Assert.True(requests.TryEnter(user));
            Assert.False(requests.TryEnter(user));
        }
        Assert.False(requests.TryEnter(users + 1));
        requests.Leave(1);
        Assert.True(requests.TryEnter(users + 1));
        requests.Leave(users + 1);
        for (uint user = 1; user <= users; user++)
        {
            for (var i = user == 1 ? 1 : 0; i < UserRequests.MaxOfOne; i++)
                requests.Leave(user);
        }
        Assert.Equal(0, requests.Askers);
    }

    [Fact]
    public void TryEnter_OthersHaveAllThatThereIs_NewConnectionStillGetsItsFirstCallIn()
    {
        var unknown = new UnknownCallers();
        for (var connection = 0; connection < UnknownCallers.MaxOfAll / UnknownCallers.MaxOfOne; connection++)
        {
            for (var i = 0; i < UnknownCallers.MaxOfOne; i++)
                Assert.True(unknown.TryEnter($":2.{connection}"));
        }
        Assert.True(unknown.TryEnter(":1.1"));
        Assert.False(unknown.TryEnter(":1.1"));
        unknown.Leave(":1.1");
        Assert.True(unknown.TryEnter(":1.1"));
    }

    [Fact]
    public void TryEnter_OneConnectionWithoutAUserYet_HasItsOwnLimit()
    {
        var unknown = new UnknownCallers();
        for (var i = 0; i < UnknownCallers.MaxOfOne; i++)
            Assert.True(unknown.TryEnter(":1.1"));
        Assert.False(unknown.TryEnter(":1.1"));
        Assert.True(unknown.TryEnter(":1.2"));
        unknown.Leave(":1.1");
        Assert.True(unknown.TryEnter(":1.1"));
    }
}
