// Entry point of the daemon: arguments, kill switch, instance lock, then the host.
using System.Runtime.InteropServices;
using LivePatchd;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Hosting;
using LivePatchd.Linux.Config;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Systemd;
using LivePatchd.Log;
using LivePatchd.Loop;
using LivePatchd.Publish;

const int Failed = 1;
const int Usage = 2;

var command = CommandLine.Parse(args);
if (command.Error is { } mistake)
{
    Console.Error.WriteLine($"livepatchd: {mistake}; see livepatchd --help");
    return Usage;
}
switch (command.Verb)
{
    case Verb.Help:
        Console.Out.Write(CommandLine.Usage);
        return 0;
    case Verb.Version:
        Console.Out.WriteLine($"livepatchd {VersionText.Value}");
        return 0;
    case Verb.CheckConfig:
        var result = DirectoryCheck.With(ConfigLoader.Load(command.Options.Root), command.Options.Root);
        foreach (var line in command.Json ? [ConfigJson.Check(result)] : ConfigReport.Lines(result))
            Console.Out.WriteLine(line);
        return result.IsValid ? 0 : Failed;
    case Verb.CatConfig:
        var loaded = ConfigLoader.Load(command.Options.Root);
        foreach (var line in command.Json ? [ConfigJson.Cat(loaded)] : ConfigReport.Cat(loaded))
            Console.Out.WriteLine(line);
        foreach (var line in ConfigReport.Lines(loaded))
            Console.Error.WriteLine(line);
        return loaded.IsValid ? 0 : Failed;
    case Verb.RecordEnd:
        var outside = RunEnd.IsFromOutside(
            Environment.GetEnvironmentVariable("SERVICE_RESULT"), Environment.GetEnvironmentVariable("EXIT_CODE"), Environment.GetEnvironmentVariable("EXIT_STATUS"));
        return new StateFile(command.Options.Root, HostBook.EndPath).Write(outside ? RunEnd.FromOutside : RunEnd.Own).IsOk ? 0 : Failed;
    case Verb.ServeTasks:
        return TaskService.Run(command.Options.Root) ? 0 : Failed;
}

var options = command.Options;
if (KillSwitch.Read(options.Root) is { Level: KillSwitchLevel.Off } off)
{
    Console.Error.WriteLine($"livepatchd: not started: {off.Source}");
    return 0;
}

using var sink = new JournalSink(options.Root);
var log = new DaemonLog(sink);
using var instance = new InstanceLock(options.Root);
if (instance.TryAcquire() is { IsOk: false } locked)
{
    log.Problem(EventKind.Bug, $"livepatchd does not start: {(locked.Errno is Errno.EAGAIN ? Reason.AnotherInstance.Info().Sentence : locked.ToString())}", Reason.AnotherInstance, errno: locked.Errno);
    return Failed;
}

var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "livepatchd", ContentRootPath = "/" });
builder.Logging.AddProvider(new LibraryLoggerProvider(log)).SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSystemdLifetime();
var service = new DaemonService(options, log, TimeProvider.System);
builder.Services.AddSingleton(service);
builder.Services.AddHostedService(static services => services.GetRequiredService<DaemonService>());
// To the end of the process: without it a SIGHUP kills.
var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
{
    signal.Cancel = true;
    try
    {
        service.Reload();
    }
    catch (ObjectDisposedException)
    {
        // On its way out there is nothing to reload, and an exception here would end it by an abort.
    }
});
using var host = builder.Build();
// RunAsync disposes of the host, and its services cannot be asked for after it.
var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
try
{
    await host.RunAsync().ConfigureAwait(false);
}
catch (OperationCanceledException) when (stopping.IsCancellationRequested)
{
    // Told to stop before the host had started anything.
}
GC.KeepAlive(hangup);
return 0;
