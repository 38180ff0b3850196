// Which mount a mount id names.
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class MountLineTests
{
    private const string Table = """
        24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
        36 24 8:16 /lp\040x /var/lib/livepatchd/patches rw,noatime master:1 - ext4 /dev/sdb rw
        361 24 0:36 / /run rw - tmpfs tmpfs rw

        """;

    [Theory]
    [InlineData(24, "/ /")]
    [InlineData(36, @"/lp\040x /var/lib/livepatchd/patches")]
    [InlineData(361, "/ /run")]
    [InlineData(3, null)]
    public void Find_Id_ItsRootAndPlace(ulong id, string? mount) => Assert.Equal(mount, MountLine.Find(Table, id));

    [Theory]
    [InlineData("")]
    [InlineData("36")]
    [InlineData("36 24 8:16 / /p")]
    [InlineData("-36 24 8:16 / /p rw -")]
    public void Find_LineThatIsNone_Nothing(string table) => Assert.Null(MountLine.Find(table, 36));
}
