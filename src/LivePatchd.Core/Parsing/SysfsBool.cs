// Reads the yes-or-no files of sysfs and procfs: "1", "0", "Y", "N", with or without a newline.
namespace LivePatchd.Core.Parsing;

public static class SysfsBool
{
    /// <summary>Null when the text is neither.</summary>
    public static bool? Parse(ReadOnlySpan<byte> text) => text.TrimEnd((byte)'\n') switch
    {
        [(byte)'1' or (byte)'Y' or (byte)'y'] => true,
        [(byte)'0' or (byte)'N' or (byte)'n'] => false,
        _ => null,
    };
}
