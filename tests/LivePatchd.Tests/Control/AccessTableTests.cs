// The access table against everything that must agree with it: the interfaces, the bus policy and the polkit actions that are installed.
using System.Reflection;
using System.Xml.Linq;
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests;

namespace LivePatchd.Tests.Control;

public sealed class AccessTableTests
{
    private static readonly string[] Actions =
        [.. typeof(PolkitActions).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)];

    [Fact]
    public void Methods_OfAllInterfaces_HaveARow()
    {
        var authorizer = new Authorizer();
        var methods = new ManagerInterface(_ => { }, authorizer).Interface.Methods.Select(m => (BusNames.Manager, m.Name))
            .Concat(new JobInterface(_ => { }, authorizer).Interface.Methods.Select(m => (BusNames.Job, m.Name)));
        Assert.All(methods, m => Assert.Contains(m, AccessTable.Methods));
        Assert.Empty(PatchInterface.Interface.Methods);
    }

    [Fact]
    public void Guard_MethodWithoutARow_Throws() => Assert.Throws<InvalidOperationException>(() =>
        new Authorizer().Guard(BusNames.Manager, [new BusMethod("Unheard", "", [], "", [], _ => { })]));

    [Fact]
    public void Methods_BusPolicy_AllowsTheseAndNoOthers()
    {
        var sent = Load("systemd/dbus-1/system.d/org.livepatchd1.conf").Descendants("policy")
            .Where(p => (string?)p.Attribute("context") == "default").Elements("allow")
            .Select(a => ((string?)a.Attribute("send_interface") ?? "", (string?)a.Attribute("send_member") ?? ""))
            .Where(a => a.Item1.StartsWith(BusNames.Service, StringComparison.Ordinal));
        Assert.Equal(AccessTable.Methods.Order(), sent.Order());
    }

    [Fact]
    public void Actions_PolicyFile_DeclaresTheseForAdministrators()
    {
        var declared = Load("systemd/polkit-1/actions/org.livepatchd1.policy").Descendants("action").ToList();
        Assert.Equal(Actions.Order(StringComparer.Ordinal), declared.Select(a => (string)a.Attribute("id")!).Order(StringComparer.Ordinal));
        Assert.All(declared, a => Assert.All(a.Element("defaults")!.Elements(), d => Assert.StartsWith("auth_admin", d.Value, StringComparison.Ordinal)));
        // What is remembered holds for every program of a session: only for what changes neither the directory nor the kernel.
        string[] remembered = [PolkitActions.Hold, PolkitActions.Reload, PolkitActions.Diagnose, PolkitActions.Details];
        foreach (var action in declared)
            Assert.Equal(remembered.Contains((string)action.Attribute("id")!), action.Element("defaults")!.Elements().Any(static d => d.Value == "auth_admin_keep"));
    }

    // Without the document type, whose definition is on the network.
    private static XDocument Load(string path)
    {
        var text = File.ReadAllText(RepositoryFile.PathOf(path));
        return XDocument.Parse(text[..text.IndexOf("<!DOCTYPE", StringComparison.Ordinal)] + text[text.IndexOf("<!--", StringComparison.Ordinal)..]);
    }
}
