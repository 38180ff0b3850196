// The daemon's instruments with a reader: what this thread, in this test, has counted. Other tests have meters of the same name.
using System.Diagnostics.Metrics;
using LivePatchd.Metrics;

namespace LivePatchd.Tests;

internal sealed class MeterTap : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly Thread owner = Thread.CurrentThread;
    private readonly List<(string Name, double Value, string Tags)> seen = [];

    public MeterTap(TimeProvider time)
    {
        var making = false;
        listener.InstrumentPublished = (instrument, reader) =>
        {
            if (making && Thread.CurrentThread == owner)
                reader.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Add(i, value, tags));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        listener.Start();
        making = true;
        Instruments = new DaemonMeter("1", time);
        making = false;
    }

    public DaemonMeter Instruments { get; }

    /// <summary>What was recorded, as "name{key=value}" with its value, in order.</summary>
    public IReadOnlyList<(string Name, double Value, string Tags)> Recorded => seen;

    public double Sum(string name, string tags = "") => seen.Where(s => s.Name == name && s.Tags == tags).Sum(s => s.Value);

    public int Times(string name, string? tags = null) => seen.Count(s => s.Name == name && (tags is null || s.Tags == tags));

    /// <summary>Reads the instruments that are observed.</summary>
    public double Observe(string name, string tags = "")
    {
        seen.RemoveAll(s => s.Name == name);
        listener.RecordObservableInstruments();
        return seen.Last(s => s.Name == name && s.Tags == tags).Value;
    }

    public void Dispose()
    {
        Instruments.Dispose();
        listener.Dispose();
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = string.Join(',', tags.ToArray().Select(t => $"{t.Key}={t.Value}"));
        lock (seen)
            seen.Add((instrument.Name, value, text));
    }
}
