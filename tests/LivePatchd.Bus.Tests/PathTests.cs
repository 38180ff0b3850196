// Object paths from outside names agree with sd_bus_path_encode, and come back only from what was encoded.
using System.Runtime.InteropServices;
using CsCheck;

namespace LivePatchd.Bus.Tests;

public sealed partial class PathTests
{
    [Theory]
    [InlineData("", "_")]
    [InlineData("fix-cve-2026-1", "fix_2dcve_2d2026_2d1")]
    [InlineData("0a0", "_30a0")]
    [InlineData("a_b", "a_5fb")]
    [InlineData("é/..", "_c3_a9_2f_2e_2e")]
    public void Names_are_escaped(string external, string label)
    {
        Assert.Equal("/org/example/" + label, BusPath.Encode("/org/example", external));
        Assert.True(BusPath.TryDecode("/org/example/" + label, "/org/example", out var back));
        Assert.Equal(external, back);
    }

    [Fact]
    public void Every_name_agrees_with_libsystemd_and_comes_back() =>
        Gen.Char[(char)1, (char)0xFFFF].Where(c => !char.IsSurrogate(c)).Array[0, 40].Select(c => new string(c)).Sample(external =>
        {
            var path = BusPath.Encode("/p", external);
            Assert.Equal(ByLibrary("/p", external), path);
            Assert.True(BusPath.TryDecode(path, "/p", out var back));
            Assert.Equal(external, back);
        });

    [Theory]
    [InlineData("/org/other/a")]
    [InlineData("/org/example")]
    [InlineData("/org/example/")]
    [InlineData("/org/example/a/b")]
    [InlineData("/org/example/_6")]
    [InlineData("/org/example/_61")]
    [InlineData("/org/example/_2D")]
    [InlineData("/org/example/_zz")]
    [InlineData("/org/example/_ff")]
    [InlineData("/org/example/1")]
    [InlineData("/org/example/a-b")]
    public void A_path_that_is_not_an_encoding_is_refused(string path) =>
        Assert.False(BusPath.TryDecode(path, "/org/example", out _));

    [Fact]
    public void Whatever_is_accepted_encodes_to_the_same_path() => Gen.Char["_0159afAFz/-\u00e9\ud800"].Array[0, 12].Select(c => "/p/" + new string(c)).Sample(path =>
    {
        if (BusPath.TryDecode(path, "/p", out var external))
        {
            Assert.Equal(path, BusPath.Encode("/p", external));
        }
    });

    private static string ByLibrary(string prefix, string external)
    {
        Assert.True(sd_bus_path_encode(prefix, external, out var path) >= 0);
        var text = Marshal.PtrToStringUTF8(path);
        unsafe
        {
            NativeMemory.Free((void*)path);
        }

        return text!;
    }

    [LibraryImport("libsystemd.so.0", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int sd_bus_path_encode(string prefix, string external, out nint path);
}
