// Colour for the words that matter; plain text where the terminal has none.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Output;

internal enum Paint
{
    None,
    Good,
    Moving,
    Bad,
    Faint,
    Strong,
}

internal static class Paints
{
    private const string Escape = "\e[";

    public static string On(this Paint paint, string text, bool hasColour) => !hasColour || Code(paint) is not { } code
        ? text
        : $"{Escape}{code}m{text}{Escape}0m";

    public static Paint Of(PatchState? state) => state switch
    {
        PatchState.Active => Paint.Good,
        PatchState.Staged or PatchState.Held or PatchState.Loading or PatchState.Transitioning or PatchState.Soaking or PatchState.Reverting => Paint.Moving,
        PatchState.Stalled or PatchState.Reversing or PatchState.Quarantined or PatchState.Rejected or PatchState.Unsupported => Paint.Bad,
        PatchState.Reverted or PatchState.Superseded or PatchState.Foreign => Paint.Faint,
        _ => Paint.None,
    };

    public static Paint OfHost(string state) => state switch
    {
        "running" => Paint.Good,
        "observing" => Paint.Moving,
        "unsupported" => Paint.Bad,
        _ => Paint.None,
    };

    private static string? Code(Paint paint) => paint switch
    {
        Paint.Good => "32",
        Paint.Moving => "33",
        Paint.Bad => "31",
        Paint.Faint => "2",
        Paint.Strong => "1",
        _ => null,
    };
}
