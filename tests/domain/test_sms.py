"""Counting a text as networks bill it, against an independent, slow reference."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.domain.sms import Measure, measure

# TS 23.038, written out once more and independently: by code point, from the standard's two tables.
_DEFAULT = {
    *range(0x20, 0x24), *range(0x25, 0x5B), *range(0x61, 0x7B), 0x0A, 0x0D, 0x24, 0x40, 0x5F,
    0xA1, 0xA3, 0xA4, 0xA5, 0xA7, 0xBF, 0xC4, 0xC5, 0xC6, 0xC7, 0xC9, 0xD1, 0xD6, 0xD8, 0xDC, 0xDF,
    0xE0, 0xE4, 0xE5, 0xE6, 0xE8, 0xE9, 0xEC, 0xF1, 0xF2, 0xF6, 0xF8, 0xF9, 0xFC,
    0x393, 0x394, 0x398, 0x39B, 0x39E, 0x3A0, 0x3A3, 0x3A6, 0x3A8, 0x3A9,
}  # fmt: skip
_EXTENSION = {0x0C, 0x5B, 0x5C, 0x5D, 0x5E, 0x7B, 0x7C, 0x7D, 0x7E, 0x20AC}


def reference(text: str) -> tuple[str, int, int]:
    """Encodes the text unit by unit and fills one segment after the other."""
    points = [ord(char) for char in text]
    if all(point in _DEFAULT or point in _EXTENSION for point in points):
        units = [[0x1B, point] if point in _EXTENSION else [point] for point in points]
        return ("GSM-7", *_fill(units, 160, 153))
    units = []
    for char in text:
        raw = char.encode("utf-16-be", "surrogatepass")
        units.append([int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2)])
    return ("UCS-2", *_fill(units, 70, 67))


def _fill(units: list[list[int]], single: int, part: int) -> tuple[int, int]:
    size = sum(len(unit) for unit in units)
    if size <= single:
        return size, 1
    segments: list[list[int]] = [[]]
    for unit in units:
        if len(segments[-1]) + len(unit) > part:
            segments.append([])
        segments[-1] += unit
    return size, len(segments)


_plain = st.sampled_from("aZ9 @é\n")
_mixed = st.sampled_from("a€{}~^x ")
_wide = st.sampled_from("aé€ж漢😀🫀 ")
_texts = st.one_of(
    st.text(max_size=500),
    st.text(_plain, max_size=500),
    st.text(_mixed, max_size=500),
    st.text(_wide, max_size=300),
    # around the boundaries, where it matters
    st.builds(
        lambda char, count, tail: char * count + tail,
        st.sampled_from("a€ж😀"),
        st.sampled_from((33, 34, 35, 66, 67, 70, 71, 76, 77, 80, 134, 152, 153, 160, 161, 306)),
        st.text(_mixed, max_size=4),
    ),
)


@given(_texts)
def test_every_text_measures_as_the_reference_counts_it(text: str) -> None:
    found = measure(text)
    assert (found.encoding, found.characters, found.segments) == reference(text)
    if found.encoding == "UCS-2":
        assert found.forced_by is not None
        assert reference(found.forced_by)[0] == "UCS-2"
        assert reference(text[: text.index(found.forced_by)])[0] == "GSM-7", "names the first culprit"
    else:
        assert found.forced_by is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Measure("GSM-7", 0, 1, None)),
        ("a" * 160, Measure("GSM-7", 160, 1, None)),
        ("a" * 161, Measure("GSM-7", 161, 2, None)),
        ("a" * 306, Measure("GSM-7", 306, 2, None)),
        ("a" * 307, Measure("GSM-7", 307, 3, None)),
        ("€" * 80, Measure("GSM-7", 160, 1, None)),
        ("a" + "€" * 80, Measure("GSM-7", 161, 2, None)),
        # 153 is odd: of two-septet characters only 76 fit, and the 77th may not straddle
        ("€" * 153, Measure("GSM-7", 306, 3, None)),
        ("€" * 152, Measure("GSM-7", 304, 2, None)),
        ("a" * 152 + "€" + "a" * 152, Measure("GSM-7", 306, 3, None)),
        ("a" * 151 + "€" + "a" * 153, Measure("GSM-7", 306, 2, None)),
        ("ж" * 70, Measure("UCS-2", 70, 1, "ж")),
        ("ж" * 71, Measure("UCS-2", 71, 2, "ж")),
        ("ж" * 134, Measure("UCS-2", 134, 2, "ж")),
        ("ж" * 135, Measure("UCS-2", 135, 3, "ж")),
        ("😀" * 35, Measure("UCS-2", 70, 1, "😀")),
        ("😀" * 66, Measure("UCS-2", 132, 2, "😀")),
        ("😀" * 67, Measure("UCS-2", 134, 3, "😀")),  # a pair is never split over the 67th unit
        ("Don’t", Measure("UCS-2", 5, 1, "’")),  # the typographic apostrophe, the usual culprit
        ("Ça va à Évry? ç", Measure("UCS-2", 15, 1, "ç")),  # only the capital is in GSM-7
        ("\tx", Measure("UCS-2", 2, 1, "\t")),
    ],
)
def test_known_texts(text: str, expected: Measure) -> None:
    assert measure(text) == expected
