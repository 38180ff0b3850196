// A patch file in a test: its name, its build, and how the test's kernel is to answer when it is loaded.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.EndToEnd.Tests;

/// <param name="Build">Two builds of one name differ in build id and bytes.</param>
internal sealed record Patch(string Name, int Build = 1)
{
    /// <summary>Of the kernel that a test's host runs.</summary>
    public const string HostRelease = "6.12.0-lab-amd64";

    public const string ReplaceKey = "lab_replace=1";
    public const string ErrnoKey = "lab_errno=";

    public string Release { get; init; } = HostRelease;

    public bool Livepatch { get; init; } = true;

    public bool Signed { get; init; }

    /// <summary>An atomic-replace patch.</summary>
    public bool Replace { get; init; }

    /// <summary>What finit_module answers once nothing else stands against the module.</summary>
    public Errno Answer { get; init; }

    public string FileName => Name + ".ko";

    public byte[] Bytes
    {
        get
        {
            var info = new List<string> { "license=GPL", "depends=", $"name={Name}", $"vermagic={Release} SMP mod_unload ", $"build={Build}" };
            if (Livepatch)
                info.Add("livepatch=Y");
            if (Replace)
                info.Add(ReplaceKey);
            if (Answer != Errno.None)
                info.Add(ErrnoKey + ((int)Answer).ToString(CultureInfo.InvariantCulture));
            var image = new ModuleImage { StructName = Name, ModInfo = info, BuildId = Id }.Build();
            return Signed ? [.. image, .. "signature~Module signature appended~\n"u8] : image;
        }
    }

    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Bytes));

    public string BuildIdHex => Convert.ToHexStringLower(Id);

    private byte[] Id => SHA256.HashData(Encoding.ASCII.GetBytes($"{Name} {Build}"))[..20];
}
