"""The one stylesheet: every color that carries words can be read, in light and in dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import journey.web

_STATIC = Path(journey.web.__file__).parent / "static"
_PAIRS = [
    (ink, paper)
    for paper in ("paper", "sheet")
    for ink in ("ink", "soft", "accent", "bad")
] + [
    ("accent-ink", "accent"),
    ("soft", "accent-wash"),
    ("ink", "accent-wash"),
    ("ink", "bubble"),
    ("soft", "quiet-wash"),
    *((tone, f"{tone}-wash") for tone in ("good", "info", "warn", "bad")),
]  # fmt: skip


def _tokens(scheme: str) -> dict[str, str]:
    css = (_STATIC / "journey.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme == "dark"]))


def _luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), _PAIRS)
def test_words_stand_out_from_their_ground(scheme: str, ink: str, paper: str) -> None:
    tokens = _tokens(scheme)
    assert _contrast(tokens[ink], tokens[paper]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_edges_of_what_can_be_used_are_seen(scheme: str) -> None:
    tokens = _tokens(scheme)
    assert _contrast(tokens["edge"], tokens["sheet"]) >= 3


def test_nothing_comes_from_elsewhere_and_all_is_light() -> None:
    files = [path for path in _STATIC.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60_000
    for path in files:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|url\(|@import|import\(", text)
