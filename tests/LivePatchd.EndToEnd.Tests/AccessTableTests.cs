// The access table against everything that must agree with it: the interfaces, the bus policy and the polkit actions that are installed.
using System.Reflection;
using System.Xml.Linq;
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests;

public sealed class AccessTableTests
{
    private static readonly string[] Actions =
        [.. typeof(PolkitActions).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)];

    [Fact]
    public void Every_method_of_the_interfaces_has_a_row()
    {
        var authorizer = new Authorizer();
        var methods = new ManagerInterface(_ => { }, authorizer).Interface.Methods.Select(m => (BusNames.Manager, m.Name))
            .Concat(new JobInterface(_ => { }, authorizer).Interface.Methods.Select(m => (BusNames.Job, m.Name)));
        Assert.All(methods, m => Assert.Contains(m, AccessTable.Methods));
        Assert.Empty(PatchInterface.Interface.Methods);
    }

    [Fact]
    public void A_method_without_a_row_cannot_be_served() => Assert.Throws<InvalidOperationException>(() =>
        new Authorizer().Guard(BusNames.Manager, [new BusMethod("Unheard", "", [], "", [], _ => { })]));

    [Fact]
    public void The_bus_policy_lets_everybody_send_the_methods_of_the_table_and_no_other()
    {
        var sent = Load("systemd/dbus-1/system.d/org.livepatchd1.conf").Descendants("policy")
            .Where(p => (string?)p.Attribute("context") == "default").Elements("allow")
            .Select(a => ((string?)a.Attribute("send_interface") ?? "", (string?)a.Attribute("send_member") ?? ""))
            .Where(a => a.Item1.StartsWith(BusNames.Service, StringComparison.Ordinal));
        Assert.Equal(AccessTable.Methods.Order(), sent.Order());
    }

    [Fact]
    public void The_installed_actions_are_those_of_the_code_and_all_want_an_administrator()
    {
        var declared = Load("systemd/polkit-1/actions/org.livepatchd1.policy").Descendants("action").ToList();
        Assert.Equal(Actions.Order(StringComparer.Ordinal), declared.Select(a => (string)a.Attribute("id")!).Order(StringComparer.Ordinal));
        Assert.All(declared, a => Assert.All(a.Element("defaults")!.Elements(), d => Assert.StartsWith("auth_admin", d.Value, StringComparison.Ordinal)));
        var force = declared.Single(a => (string)a.Attribute("id")! == PolkitActions.Force);
        Assert.All(force.Element("defaults")!.Elements(), d => Assert.Equal("auth_admin", d.Value));
    }

    [Fact]
    public void Requests_are_counted_by_user_and_in_all_and_nobody_is_remembered()
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

    // Without the document type, whose definition is on the network.
    private static XDocument Load(string path)
    {
        var text = File.ReadAllText(RepositoryFile.PathOf(path));
        return XDocument.Parse(text[..text.IndexOf("<!DOCTYPE", StringComparison.Ordinal)] + text[text.IndexOf("<!--", StringComparison.Ordinal)..]);
    }
}
