// `diagnose`: fetches the daemon's bundle and prints it, or writes it to a new file.
using LivePatchd.Ctl.Output;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Ctl.Commands;

internal static class DiagnoseCommand
{
    /// <summary>No bundle is so large: what is, does not come from the daemon.</summary>
    private const long MaxBytes = 64 << 20;

    /// <param name="path">Null for standard output.</param>
    public static int Run(Session session, string? path)
    {
        const string What = "diagnose";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(What, daemon.Error);
        using var connection = daemon.Value;
        var bundle = connection.Diagnose();
        if (!bundle.IsOk)
            return session.Fail(What, bundle.Error);
        using var file = bundle.Value;
        if (Read(file) is not { } bytes)
            return session.Fail(ExitCode.Failed, What, "what the daemon handed over is no bundle", "install livepatchctl and livepatchd of one version");
        if (path is null)
        {
            session.Terminal.Out.WriteLine(System.Text.Encoding.UTF8.GetString(bytes));
            return ExitCode.Ok;
        }
        if (Write(path, bytes) is { } why)
            return session.Fail(ExitCode.Failed, $"{What} --output {path}", why, "name another file");
        session.Terminal.Out.WriteLine(TextOf.Clean($"{path}: written; look through it before you pass it on"));
        return ExitCode.Ok;
    }

    private static byte[]? Read(SafeFileHandle file)
    {
        try
        {
            var length = RandomAccess.GetLength(file);
            if (length is <= 0 or > MaxBytes)
                return null;
            var bytes = new byte[length];
            var read = 0;
            while (read < bytes.Length && RandomAccess.Read(file, bytes.AsSpan(read), read) is > 0 and var count)
                read += count;
            return read == bytes.Length ? bytes : null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>A file that is there already is somebody's: it is neither written over nor opened for others to read.</summary>
    /// <returns>Why not; null when it is written.</returns>
    private static string? Write(string path, byte[] bytes)
    {
        var made = false;
        try
        {
            using var stream = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            made = true;
            stream.Write(bytes);
            stream.WriteByte((byte)'\n');
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Half a bundle would be taken for a whole one.
            if (made)
                File.Delete(path);
            return refused switch
            {
                UnauthorizedAccessException => "permission denied",
                DirectoryNotFoundException => "no such directory",
                IOException when !made && Path.Exists(path) => "the file exists, and is not written over",
                _ => refused.Message,
            };
        }
    }
}
