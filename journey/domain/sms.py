"""How an SMS is counted: encoding, characters and segments, as networks bill them (3GPP TS 23.038)."""

from __future__ import annotations

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
GSM_7, UCS_2 = "GSM-7", "UCS-2"


@dataclass(frozen=True, slots=True)
class Measure:
    """`characters` counts septets in GSM-7 (an extension character is two) and UTF-16 units in UCS-2.

    `forced_by` is the first character that GSM-7 lacks, or None.
    """

    encoding: str
    characters: int
    segments: int
    forced_by: str | None


def measure(text: str) -> Measure:
    """Counts a text as it would be sent. An empty text is one segment of no characters."""
    if _BASIC.issuperset(text):  # nearly every text: all of width one, so no boundary to straddle
        length = len(text)
        return Measure(GSM_7, length, 1 if length <= 160 else -(-length // 153), None)
    forced_by = next((char for char in text if char not in _BASIC and char not in _EXTENDED), None)
    if forced_by is None:
        widths = [2 if char in _EXTENDED else 1 for char in text]
        return Measure(GSM_7, sum(widths), _segments(widths, single=160, part=153), None)
    # A character beyond the basic plane is a surrogate pair and stays whole, like an extension.
    widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return Measure(UCS_2, sum(widths), _segments(widths, single=70, part=67), forced_by)


def _segments(widths: list[int], *, single: int, part: int) -> int:
    """Parts needed when no two-unit character may straddle a boundary."""
    if sum(widths) <= single:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > part:
            segments, used = segments + 1, 0
        used += width
    return segments
