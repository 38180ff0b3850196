// The other names of a function: system calls have several at one place, and ftrace's list has one of them.
using System.Text;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Tests.Policy.Preflight;

public sealed class AliasCensusTests
{
    private const string List = """
        ffffffff81000000 t __do_sys_getpid
        ffffffff81000000 T __ia32_sys_getpid
        ffffffff81000000 T __x64_sys_getpid
        ffffffff81000100 T exc_divide_error
        ffffffff81000200 t twice
        ffffffff81000300 t twice
        ffffffff81000300 t other_of_twice
        ffffffff81000400 t optimised.llvm.123
        0000000000000000 t hidden
        0000000000000000 t hidden_too
        ffffffffc0000000 t exc_divide_error	[m]
        """;

    [Theory]
    [InlineData("__x64_sys_getpid", "__do_sys_getpid", "")]
    [InlineData("__x64_sys_getpid", "__ia32_sys_getpid", "")]
    [InlineData("__x64_sys_getpid", "exc_divide_error", "__x64_sys_getpid")]
    [InlineData("exc_divide_error", "", "exc_divide_error")]
    [InlineData("twice", "other_of_twice", "")]
    [InlineData("twice", "", "twice")]
    [InlineData("optimised.llvm.123", "optimised", "")]
    [InlineData("optimised.llvm.123", "", "optimised.llvm.123")]
    [InlineData("hidden", "", "")]
    [InlineData("not_in_the_list", "", "")]
    public void A_function_has_no_place_only_if_none_of_its_names_has(string function, string traceable, string expected)
    {
        var census = Census(new NeededSymbol("vmlinux", function, 0, IsFunction: true));
        var missing = census.Aliases.Where(a => a.Name != traceable).ToHashSet();
        Assert.Equal(expected, string.Join(' ', census.WithoutPlace(missing).Select(f => f.Name)));
        Assert.Equal(function is "hidden" or "not_in_the_list", census.Unknown.Count == 1);
    }

    [Fact]
    public void A_function_of_a_module_is_another()
    {
        var census = Census(new NeededSymbol("m", "exc_divide_error", 0, IsFunction: true));
        Assert.Equal(new NeededSymbol("m", "exc_divide_error", 0, IsFunction: true), Assert.Single(census.Aliases));
    }

    [Fact]
    public void A_place_with_very_many_names_is_not_judged()
    {
        var census = new AliasCensus([new NeededSymbol("vmlinux", "f0", 0, IsFunction: true)]);
        Pass(string.Concat(Enumerable.Range(0, 100).Select(i => $"ffffffff81000000 t f{i}\n")), census);
        Assert.Equal(64, census.Aliases.Length);
        Assert.Empty(census.WithoutPlace(census.Aliases.ToHashSet()));
    }

    private static AliasCensus Census(params NeededSymbol[] functions)
    {
        var census = new AliasCensus(functions);
        Pass(List, census);
        return census;
    }

    private static void Pass(string list, AliasCensus census)
    {
        foreach (var take in (Action<KernelSymbolLine>[])[census.TakeAddress, census.TakeName])
        {
            foreach (var line in list.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.True(KernelSymbolLine.TryParse(Encoding.ASCII.GetBytes(line), out var symbol));
                take(symbol);
            }
        }
    }
}
