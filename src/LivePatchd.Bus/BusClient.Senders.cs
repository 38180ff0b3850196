// Who owns the names of senders at present. The bus lets anybody send a signal to any connection, and a match rule with a well-known name
// does not keep it out; only the sender that the bus itself writes into a message says whose it is.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusClient
{
    private const string Driver = "org.freedesktop.DBus";
    private const string DriverPath = "/org/freedesktop/DBus";

    private static readonly TimeSpan BusLimit = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, string?> _owners = new(StringComparer.Ordinal);

    /// <param name="sender">As the bus has written it into a message.</param>
    internal bool IsOwnedBy(string name, string sender) => sender == (name == Driver || name.StartsWith(':') ? name : _owners.GetValueOrDefault(name));

    /// <summary>From now on the present owner of the name is known, at each message as it was when the bus passed that message on.</summary>
    private BusResult<bool> KnowOwner(string name)
    {
        if (name == Driver || name.StartsWith(':') || _owners.ContainsKey(name))
        {
            return true;
        }

        // Before the question, so that no change can pass between the two.
        var rule = $"path='{DriverPath}',interface='{Driver}',member='NameOwnerChanged',arg0='{name}'";
        var watched = Install(Driver, rule, isImmediate: true, (reader, _, _) =>
        {
            if (reader.ReadString() == name)
            {
                _ = reader.ReadString();
                _owners[name] = reader.ReadString() is { Length: > 0 } owner ? owner : null;
            }
        });
        if (!watched.IsOk)
        {
            return watched.Error;
        }

        var asked = Call(Driver, DriverPath, Driver, "GetNameOwner", BusLimit, w => w.WriteString(name), "s", static r => r.ReadString());
        if (!asked.IsOk && asked.Error.Name != BusErrorNames.NameHasNoOwner)
        {
            return asked.Error;
        }

        _owners[name] = asked.Value;
        return true;
    }

    private unsafe BusResult<bool> Install(string sender, string rule, bool isImmediate, Action<BusReader, string, string> onSignal)
    {
        var match = new SignalMatch(this, sender, isImmediate, onSignal);
        var result = SdBus.sd_bus_add_match_async(
            _bus, out var slot, $"type='signal',sender='{sender}',{rule}", &Dispatch.OnSignal, &Dispatch.OnMatchInstalled, match.UserData);
        match.Slot = slot;
        if (result >= 0)
        {
            result = ProcessUntil(() => match.IsInstalled);
        }

        if (result >= 0 && match.Refusal is null)
        {
            _matches.Add(match);
            return true;
        }

        match.Dispose();
        return match.Refusal ?? NativeError.FromErrno(result);
    }
}
