// A caller on a bus: blocking calls with a time limit on the calling thread, and no thread of its own.
using System.Diagnostics;
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

/// <summary>Not thread-safe: one thread at a time.</summary>
public sealed partial class BusClient : IDisposable
{
    private const string Properties = "org.freedesktop.DBus.Properties";
    private const string ObjectManager = "org.freedesktop.DBus.ObjectManager";

    /// <summary>Between two tries where the bus had no room.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly BusHandle _bus;
    private bool _neverStart;

    private BusClient(BusHandle bus) => _bus = bus;

    /// <summary>This connection's unique name on the bus.</summary>
    public string UniqueName =>
        SdBus.sd_bus_get_unique_name(_bus, out var name) >= 0 ? Marshal.PtrToStringUTF8(name) ?? "" : "";

    /// <summary>Tells every service that is called that it may ask the user for a password; the call's time limit must then be a person's.</summary>
    public void AllowInteraction() => _ = SdBus.sd_bus_set_allow_interactive_authorization(_bus, 1);

    /// <summary>From now on no call has the bus start the service that it is for; where that does not run, the answer is an error.</summary>
    public void NeverStart() => _neverStart = true;

    public static BusResult<BusClient> Connect(BusAddress address)
    {
        var opened = BusConnector.Open(address);
        return opened.IsOk ? new BusClient(opened.Value) : opened.Error;
    }

    /// <summary>How often the bus itself had no room for a call, so that it was sent again.</summary>
    internal int Refusals { get; private set; }

    /// <param name="timeout">Of the whole, with the tries that the bus had no room for. May be Timeout.InfiniteTimeSpan.</param>
    /// <param name="replySignature">The signature the answer must have.</param>
    public BusResult<T> Call<T>(
        string destination, string path, string iface, string member, TimeSpan timeout, Action<BusWriter>? args, string replySignature, Func<BusReader, T> read)
    {
        var begun = Stopwatch.GetTimestamp();
        var left = timeout;
        while (true)
        {
            var (result, byTheBus) = CallOnce(destination, path, iface, member, left, args, replySignature, read);
            if (timeout != Timeout.InfiniteTimeSpan)
            {
                left = timeout - Stopwatch.GetElapsedTime(begun);
            }

            // Others can fill the queue of a service. What the bus refused in its place was never delivered, so it is not done twice; what it
            // refuses of its own methods, such as one match rule too many, it will refuse again.
            if (!byTheBus || destination == Driver || result.Error?.Name != BusErrorNames.LimitsExceeded || (timeout != Timeout.InfiniteTimeSpan && left <= TimeSpan.Zero))
            {
                return result;
            }

            Refusals++;
            _ = BusPoll.Wait(_bus, null, Pause, out _);
        }
    }

    /// <summary>A call whose answer carries nothing; the value is always true.</summary>
    public BusResult<bool> Call(string destination, string path, string iface, string member, TimeSpan timeout, Action<BusWriter>? args = null) =>
        Call(destination, path, iface, member, timeout, args, "", static _ => true);

    /// <summary>Every property of an interface, as <see cref="BusReader.ReadValue"/> gives them.</summary>
    public BusResult<Dictionary<string, object>> GetAll(string destination, string path, string iface, TimeSpan timeout) =>
        Call(destination, path, Properties, "GetAll", timeout, w => w.WriteString(iface), "a{sv}", static r => r.ReadProperties());

    public BusResult<object> Get(string destination, string path, string iface, string property, TimeSpan timeout) =>
        Call(
            destination,
            path,
            Properties,
            "Get",
            timeout,
            w =>
            {
                w.WriteString(iface);
                w.WriteString(property);
            },
            "v",
            static r => r.ReadValue());

    /// <summary>By object path, by interface, by property.</summary>
    public BusResult<Dictionary<string, Dictionary<string, Dictionary<string, object>>>> GetManagedObjects(string destination, string path, TimeSpan timeout) =>
        Call(destination, path, ObjectManager, "GetManagedObjects", timeout, null, "a{oa{sa{sv}}}", ReadObjects);

    /// <returns>What came of it, and whether the bus answered in the place of the service.</returns>
    private (BusResult<T> Result, bool ByTheBus) CallOnce<T>(
        string destination, string path, string iface, string member, TimeSpan timeout, Action<BusWriter>? args, string replySignature, Func<BusReader, T> read)
    {
        var result = SdBus.sd_bus_message_new_method_call(_bus, out var message, destination, path, iface, member);
        if (result < 0)
        {
            return (NativeError.FromErrno(result), false);
        }

        nint reply = 0;
        try
        {
            using var call = new OutgoingMessage(message);
            call.Fill(args, signature: null);
            if (_neverStart)
            {
                _ = SdBus.sd_bus_message_set_auto_start(message, 0);
            }

            result = Await(message, timeout, out reply);
            return result < 0 ? (NativeError.FromErrno(result), false) : (Answer.Read(reply, replySignature, read), Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_sender(reply)) == Driver);
        }
        catch (BusFormatException refused)
        {
            return (new BusError(BusErrorNames.InvalidArgs, refused.Message, BusErrno.InvalidArgument), false);
        }
        finally
        {
            SdBus.sd_bus_message_unref(reply);
        }
    }

    /// <summary>
    /// sd_bus_call would keep all that others send meanwhile until the answer is there, and others decide how much that is. Here each message is
    /// dealt with, or dropped, as it comes.
    /// </summary>
    /// <param name="reply">The answer or an error of the peer, with a reference; 0 when there is none.</param>
    private int Await(nint message, TimeSpan timeout, out nint reply)
    {
        nint answer = 0;
        var call = new OutgoingCall(static (_, done) => done(), given => answer = SdBus.sd_bus_message_ref(given));
        var result = call.Send(_bus, message, timeout);
        if (result >= 0)
        {
            result = ProcessUntil(() => answer != 0);
            if (result < 0)
            {
                call.Answer(0);
            }
        }

        reply = answer;
        // What sd-bus makes up for a call without an answer when the connection ends is no word of the peer.
        return result >= 0 && SdBus.sd_bus_is_open(_bus) <= 0 ? -BusErrno.ConnectionReset : result;
    }

    private int ProcessUntil(Func<bool> done)
    {
        var result = 0;
        while (result >= 0 && !done())
        {
            result = _bus.Process();
            if (result == 0)
            {
                result = BusPoll.Wait(_bus, null, Timeout.InfiniteTimeSpan, out _);
            }
        }

        return result;
    }

    public void Dispose()
    {
        ReleaseMatches();
        _bus.Dispose();
    }

    private static Dictionary<string, Dictionary<string, Dictionary<string, object>>> ReadObjects(BusReader reader)
    {
        var objects = new Dictionary<string, Dictionary<string, Dictionary<string, object>>>(StringComparer.Ordinal);
        reader.EnterArray("{oa{sa{sv}}}");
        while (!reader.AtEnd)
        {
            reader.EnterDictEntry("oa{sa{sv}}");
            var interfaces = objects[reader.ReadObjectPath()] = new(StringComparer.Ordinal);
            reader.EnterArray("{sa{sv}}");
            while (!reader.AtEnd)
            {
                reader.EnterDictEntry("sa{sv}");
                interfaces[reader.ReadString()] = reader.ReadProperties();
                reader.Exit();
            }

            reader.Exit();
            reader.Exit();
        }

        reader.Exit();
        return objects;
    }
}
