// org.livepatchd1.Job: one object a request, until shortly after its end.
using System.Globalization;
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Loop;
using LivePatchd.Publish;

namespace LivePatchd.Control;

internal sealed class JobInterface(Action<Command> post, Authorizer authorizer)
{
    public static IReadOnlyList<ServedProperty<JobView>> Properties { get; } =
    [
        ServedProperty<JobView>.UInt32("Id", v => v.Id, constant: true),
        ServedProperty<JobView>.Text("Kind", v => v.Kind, constant: true),
        ServedProperty<JobView>.Text("Patch", v => v.Patch.Value, constant: true),
        ServedProperty<JobView>.Text("State", v => v.State),
        ServedProperty<JobView>.Text("Result", v => v.Result),
    ];

    public BusInterface Interface { get; } = new(
        BusNames.Job,
        authorizer.Guard(BusNames.Job, [new BusMethod("Cancel", "", [], "", [], call => post(new Command.Cancel(call, ((Node<JobView>)call.State!).View.Id)))]),
        [.. Properties.Select(p => p.Declare())],
        []);

    public static string PathOf(uint id) => BusNames.JobPrefix + "/" + id.ToString(CultureInfo.InvariantCulture);
}
