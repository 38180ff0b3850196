// The directory that stands for "/": every adapter asks it for its paths, so tests run on trees of their own.
namespace LivePatchd.Linux;

/// <param name="Prefix">"/" on a real host; else an existing directory, absolute.</param>
public sealed record SystemRoot(string Prefix)
{
    public static SystemRoot Host { get; } = new("/");

    /// <summary>Only the real root may reach the real kernel: under any other prefix no module is loaded or removed.</summary>
    public bool IsReal => Prefix == "/";

    /// <summary>Where an absolute path of the host lies under this root.</summary>
    public string Path(string absolute) => IsReal ? absolute : Prefix.TrimEnd('/') + absolute;
}
