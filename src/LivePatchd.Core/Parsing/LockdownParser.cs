// Reads /sys/kernel/security/lockdown: "none [integrity] confidentiality", the level in force in brackets.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Parsing;

public static class LockdownParser
{
    public static LockdownLevel Parse(ReadOnlySpan<byte> text)
    {
        if (text.IndexOf("[confidentiality]"u8) >= 0)
            return LockdownLevel.Confidentiality;
        return text.IndexOf("[integrity]"u8) >= 0 ? LockdownLevel.Integrity : LockdownLevel.None;
    }
}
