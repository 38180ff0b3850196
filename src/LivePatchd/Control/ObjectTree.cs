// The objects on the bus, kept equal to the last snapshot: adds, removes and signals exactly what changed. Bus thread only.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Publish;

namespace LivePatchd.Control;

internal sealed class ObjectTree(BusServer server, ManagerInterface manager, JobInterface jobInterface, DaemonSnapshot first)
{
    private readonly Node<DaemonSnapshot> root = new(first);
    private readonly Dictionary<PatchName, Node<PatchView>> patches = [];
    private readonly Dictionary<uint, Node<JobView>> jobs = [];
    private readonly Dictionary<Gate, Node<GateView>> gates = [];

    /// <summary>Before the name is taken: nobody listens yet, so nothing is announced.</summary>
    public void SetUp()
    {
        server.AddObjectManager(BusNames.ManagerPath);
        server.AddObject(BusNames.ManagerPath, manager.Interface, root);
        foreach (var patch in first.Patches)
            Add(patch);
        foreach (var job in first.Jobs)
            Add(job);
        foreach (var gate in first.Gates.Gates)
            Add(gate);
    }

    public void Update(DaemonSnapshot next)
    {
        var before = root.View;
        root.View = next;
        UpdatePatches(next);
        UpdateJobs(next);
        UpdateGates(next);
        server.EmitPropertiesChanged(BusNames.ManagerPath, BusNames.Manager, ManagerInterface.Properties.Changed(before, next));
    }

    private void UpdatePatches(DaemonSnapshot next)
    {
        foreach (var name in patches.Keys.Except(next.Patches.Select(p => p.Name)).ToList())
        {
            var path = PatchInterface.PathOf(name);
            server.EmitInterfacesRemoved(path, BusNames.Patch);
            server.RemoveObject(path);
            patches.Remove(name);
        }
        foreach (var view in next.Patches)
        {
            if (!patches.TryGetValue(view.Name, out var node))
            {
                server.EmitInterfacesAdded(Add(view), BusNames.Patch);
                continue;
            }
            var changed = PatchInterface.Properties.Changed(node.View, view);
            node.View = view;
            server.EmitPropertiesChanged(PatchInterface.PathOf(view.Name), BusNames.Patch, changed);
        }
    }

    private void UpdateJobs(DaemonSnapshot next)
    {
        foreach (var id in jobs.Keys.Except(next.Jobs.Select(j => j.Id)).ToList())
        {
            var path = JobInterface.PathOf(id);
            server.EmitInterfacesRemoved(path, BusNames.Job);
            server.RemoveObject(path);
            jobs.Remove(id);
        }
        foreach (var view in next.Jobs)
        {
            var path = JobInterface.PathOf(view.Id);
            var ended = view.Result.Length > 0;
            if (!jobs.TryGetValue(view.Id, out var node))
            {
                Add(view);
                server.EmitInterfacesAdded(path, BusNames.Job);
                server.EmitSignal(BusNames.ManagerPath, BusNames.Manager, "JobNew", "uo", w =>
                {
                    w.WriteUInt32(view.Id);
                    w.WriteObjectPath(path);
                });
            }
            else
            {
                ended &= node.View.Result.Length == 0;
                var changed = JobInterface.Properties.Changed(node.View, view);
                node.View = view;
                server.EmitPropertiesChanged(path, BusNames.Job, changed);
            }
            if (ended)
            {
                server.EmitSignal(BusNames.ManagerPath, BusNames.Manager, "JobRemoved", "uos", w =>
                {
                    w.WriteUInt32(view.Id);
                    w.WriteObjectPath(path);
                    w.WriteString(view.Result);
                });
            }
        }
    }

    /// <summary>The set of gates never changes, once there was a reading.</summary>
    private void UpdateGates(DaemonSnapshot next)
    {
        foreach (var view in next.Gates.Gates)
        {
            var path = GateInterface.PathOf(view.Gate);
            if (!gates.TryGetValue(view.Gate, out var node))
            {
                Add(view);
                server.EmitInterfacesAdded(path, BusNames.Gate);
                continue;
            }
            var before = node.View;
            var changed = GateInterface.Properties.Changed(before, view);
            node.View = view;
            server.EmitPropertiesChanged(path, BusNames.Gate, changed);
            if (before.Open == view.Open && before.Reason == view.Reason)
                continue;
            server.EmitSignal(BusNames.ManagerPath, BusNames.Manager, "GateChanged", "sbs", w =>
            {
                w.WriteString(view.Gate.Word());
                w.WriteBool(view.Open);
                w.WriteString(view.Reason?.Word() ?? "");
            });
        }
    }

    private string Add(PatchView view)
    {
        var path = PatchInterface.PathOf(view.Name);
        server.AddObject(path, PatchInterface.Interface, patches[view.Name] = new Node<PatchView>(view));
        return path;
    }

    private void Add(JobView view) =>
        server.AddObject(JobInterface.PathOf(view.Id), jobInterface.Interface, jobs[view.Id] = new Node<JobView>(view));

    private void Add(GateView view) =>
        server.AddObject(GateInterface.PathOf(view.Gate), GateInterface.Interface, gates[view.Gate] = new Node<GateView>(view));
}
