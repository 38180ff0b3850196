// Carries warnings of the host and the web server into the daemon's log.
namespace LivePatchd.Log;

internal sealed class LibraryLoggerProvider(DaemonLog log) : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new LibraryLogger(log, categoryName);

    public void Dispose()
    {
    }

    private sealed class LibraryLogger(DaemonLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var text = exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception.Message}";
            log.Library(logLevel >= LogLevel.Error ? 3 : 4, category, text);
        }
    }
}
