// A tree in memory that stands for /proc with very many tasks, as the real one is in memory too.
namespace LivePatchd.Linux.Tests.Tasks;

internal sealed class LargeProc : IDisposable
{
    public const int Tasks = 100_000;

    private readonly string directory = $"/dev/shm/livepatchd-test-{Guid.NewGuid():N}";

    /// <param name="switched">Where a load wants them.</param>
    public LargeProc(bool switched, int processes = 1000, int threads = 100)
    {
        for (var process = 0; process < processes; process++)
        {
            var pid = 1000 + (process * threads);
            for (var tid = pid; tid < pid + threads; tid++)
            {
                var task = Directory.CreateDirectory($"{directory}/proc/{pid}/task/{tid}").FullName;
                File.WriteAllText(task + "/patch_state", switched ? "1\n" : "0\n");
                if (switched || tid != pid)
                    continue;
                File.WriteAllText(task + "/cgroup", $"0::/system.slice/u{process % 300}.service\n");
                File.WriteAllText(task + "/stat", $"{tid} (task) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 4242 0\n");
            }
        }
    }

    public SystemRoot Root => new(directory);

    public string[] PatchStates() => Directory.GetFiles(directory, "patch_state", SearchOption.AllDirectories);

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
