// The history on disk: bounded, written once for many entries, begun anew where it cannot be understood.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class HistoryBookTests : IDisposable
{
    private readonly Bench bench = new();

    private string HistoryFile => bench.Files.Path(HistoryBook.Path);

    public void Dispose() => bench.Dispose();

    private HistoryBook Opened()
    {
        var book = new HistoryBook(new AppendLog(bench.Root, HistoryBook.Path), bench.Log);
        book.Open();
        return book;
    }

    private static HistoryEntry Entry(int minute, PatchName? name = null) => new(
        Given.At(60 * minute).Wall, name ?? Given.One, Given.Digest, Operation.Apply, OperationResult.Done,
        new ImpactReport(null, null, null, [], null, new ImpactSeries([], [], [])));

    [Fact]
    public void Open_NoFile_EmptyWithoutAWord()
    {
        Assert.Empty(Opened().Entries);
        Assert.Equal("", bench.Said.Text);
    }

    [Fact]
    public void Save_Entries_ReadBackInTheirOrder()
    {
        var book = Opened();
        book.Add(Entry(1));
        book.Add(Entry(2, Given.Two));
        Assert.False(File.Exists(HistoryFile));
        book.Save();
        Assert.Equal([Given.One, Given.Two], Opened().Entries.Select(e => e.Patch));
    }

    [Fact]
    public void Save_NothingNew_DoesNotTouchTheDisk()
    {
        var book = Opened();
        book.Add(Entry(1));
        book.Save();
        File.Delete(HistoryFile);
        book.Save();
        Assert.False(File.Exists(HistoryFile));
    }

    [Fact]
    public void Add_MoreThanIsKept_OldestOfThePatchGoes()
    {
        var book = Opened();
        book.Add(Entry(0, Given.Two));
        for (var i = 1; i <= History.MaxPerPatch + 1; i++)
            book.Add(Entry(i));
        Assert.Equal(History.MaxPerPatch + 1, book.Entries.Length);
        Assert.Equal(Given.Two, book.Entries[0].Patch);
        Assert.Equal(Entry(2).Time, book.Entries[1].Time);
    }

    [Fact]
    public void Open_DamagedFile_SetAsideAndBegunAnew()
    {
        bench.Files.Write(HistoryBook.Path, "{not json");
        var book = Opened();
        Assert.Empty(book.Entries);
        Assert.Equal("{not json", File.ReadAllText(HistoryFile + ".damaged"));
        Assert.Equal(1, bench.Said.Count("damaged and begins anew"));
        book.Add(Entry(1));
        book.Save();
        Assert.Single(Opened().Entries);
    }

    [Fact]
    public void Open_UnreadableFile_ToldAndBegunAnew()
    {
        bench.Files.MakeDirectory(HistoryBook.Path);
        Assert.Empty(Opened().Entries);
        Assert.Equal(1, bench.Said.Count("cannot be read"));
    }

    [Fact]
    public void Save_NotWritable_ToldOnceAndWrittenWithTheNextEntry()
    {
        var book = Opened();
        bench.BreakState();
        for (var i = 1; i <= 3; i++)
        {
            book.Add(Entry(i));
            book.Save();
        }
        Assert.Equal(1, bench.Said.Count("The history cannot be written"));
        Assert.Equal(3, book.Entries.Length);
        bench.MendState();
        book.Add(Entry(4));
        book.Save();
        Assert.Equal(4, Opened().Entries.Length);
    }
}
