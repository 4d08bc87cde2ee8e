"""What a patient's reply means, as far as a machine may decide it: everything else is for a person.

A wrong guess must cost a glance, never a patient: whatever is not plainly one of a few words is OTHER, and
words that may be urgent are found by any of their forms, in any sentence, also in "no fever".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from journey.domain import phrases
from journey.domain.facts import Strict
from journey.domain.phrases import is_only

_MOST = 5_000  # characters; one sign can stand for eighteen
_LEAST = 6  # letters; shorter words are one slip away from too many others, as fever is from never
_WORD = r"(?:[^\W_]{2,}\*?|[^\W_]+\*?(?:\+[^\W_]+\*?)+)"


class Intent(StrEnum):
    STOP = "stop"  # no more texts
    CANCEL = "cancel"  # CANCEL or END alone: no more texts, and perhaps no procedure either
    START = "start"  # texts again
    HELP = "help"
    YES = "yes"
    NO = "no"
    CALL_OFF = "call_off"  # not coming, or not on this date
    THANKS = "thanks"  # needs no answer
    OTHER = "other"


class RedFlag(Strict):
    """Something that cannot wait for office hours, with the words that give it away.

    Each phrase is a few words that must all stand in the reply, in any order; `*` stands for any ending, and
    words joined by `+` stand next to each other.
    """

    title: str = Field(min_length=1, max_length=60)
    words: tuple[str, ...] = Field(min_length=1)

    @field_validator("words")
    @classmethod
    def _are_words(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in given:
            if _plain(phrase) != phrase.casefold():
                raise ValueError(f"{phrase!r} must be without accents and apostrophes, as replies are read")
            if not re.fullmatch(rf"{_WORD}(?: {_WORD})*", phrase):
                raise ValueError(
                    f"{phrase!r} must be words of two letters or more, each at most with a * at its end, or "
                    "joined by + where they stand side by side"
                )
        return given


class Replies(Strict):
    """What a pathway says about its patients' replies."""

    red_flags: tuple[RedFlag, ...] = ()
    answers: tuple[Literal["urgent", "help"], ...] = ()  # what is answered by itself, each with a template


@dataclass(frozen=True, slots=True)
class Reading:
    """`is_plain`: there is nothing in the reply but its intent. `red_flags`: their titles. `calls_off`: it
    also says that the patient may not come."""

    intent: Intent
    is_plain: bool
    red_flags: tuple[str, ...] = ()
    calls_off: bool = False


def triage(text: str, red_flags: Iterable[RedFlag]) -> Reading:
    """What a reply asks for. The same text always reads the same."""
    if reaction := phrases.REACTION.fullmatch(text):  # it repeats our words, and says nothing of its own
        return Reading(Intent.THANKS, True) if reaction["liked"] else Reading(Intent.OTHER, False)
    words = _words(text)
    line = f" {' '.join(words)} "
    said = _Said(words)
    found = tuple(dict.fromkeys(flag.title for flag in red_flags if said.has_any(flag.words)))
    intent, is_plain = _intent(text, words, line)
    return Reading(intent, is_plain, found, phrases.calls_off(line))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", _plain(text))


def _plain(text: str) -> str:
    text = re.sub("['’‘`´ʼ′]", "", text)  # "can't" is found as "cant"; before it is taken apart
    plain = unicodedata.normalize("NFKD", text)[:_MOST].casefold()
    return "".join(char for char in plain if unicodedata.category(char) != "Mn")  # without accents


# The whole reply is one of the wanted words, with nothing around it that changes it. In this order.
_ORDERS = (
    (Intent.STOP, phrases.STOP, phrases.AROUND_STOP),
    (Intent.CANCEL, phrases.CANCEL, phrases.AROUND_CANCEL),
    (Intent.START, phrases.START, phrases.AROUND_STOP),
    (Intent.HELP, phrases.HELP, phrases.AROUND_HELP),
)
_ANSWERS = (
    (Intent.YES, phrases.YES, phrases.AROUND_YES),
    (Intent.NO, phrases.NO, phrases.AROUND_NO),
    (Intent.THANKS, phrases.THANKS, phrases.AROUND_THANKS),
)


def _intent(text: str, words: list[str], line: str) -> tuple[Intent, bool]:
    asks, said = "?" in text, words or _signs(text)
    for intent, wanted, around in _ORDERS:
        if is_only(said, wanted, around) and (not asks or _still_counts(intent, said)):
            return intent, not asks or intent is Intent.HELP
    if _says_stop(text, line, asks=asks):
        return Intent.STOP, False
    if phrases.calls_off(line):
        return Intent.CALL_OFF, False
    is_plain = not asks and set(_signs(text)) <= phrases.GLAD and not phrases.NOT_PLAIN.search(line)
    for intent, wanted, around in _ANSWERS:
        if is_only(said, wanted, around) and (is_plain or (intent is Intent.NO and not asks)):
            return intent, True
    return (Intent.NO if phrases.BEGINS_WITH_NO.match(line) else Intent.OTHER), False


def _still_counts(intent: Intent, said: Sequence[str]) -> bool:
    """With a question mark: "STOP?" is heard, "stop it now?" may be about a tablet, and so may "start?"."""
    return intent is Intent.HELP or (len(said) == 1 and intent is not Intent.START)


def _says_stop(text: str, line: str, *, asks: bool) -> bool:
    """A part of it that is STOP and nothing else, or a phrase."""
    first, *others = re.split(r"[.!;:\n]| [-–—] " if asks else r"[.!,;:\n]| [-–—] ", text)
    if is_only(_words(first), phrases.STOP, phrases.AROUND_STOP) and (others or not asks):
        return True
    if any(is_only(_words(part), phrases.STOP, frozenset(("please", "pls", "now"))) for part in others):
        return True
    cries = not asks and not text.isupper() and phrases.CRIES_STOP.match(text)
    return bool(cries) or phrases.opts_out(line)


def _signs(text: str) -> list[str]:
    """The signs of a text, such as a thumb, without variants and skin tones."""
    return [char for char in text if unicodedata.category(char) == "So"]


class _Said:
    """The words of a reply: each part of a phrase is looked for once, among those of its first letter."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._by_letter: dict[str, set[str]] = {}
        for word in words:
            self._by_letter.setdefault(word[0], set()).add(word)
        self._found: dict[str, frozenset[str]] = {}

    def has_any(self, wanted: Iterable[str]) -> bool:
        return any(all(map(self._has, phrase.split())) for phrase in wanted)

    def _has(self, part: str) -> bool:
        rows = [self._matching(one) for one in part.split("+")]
        if len(rows) == 1 or not all(rows):
            return all(rows)
        starts = range(len(self._words) - len(rows) + 1)
        return any(all(self._words[at + n] in row for n, row in enumerate(rows)) for at in starts)

    def _matching(self, part: str) -> frozenset[str]:
        """The words that are this one, or begin so, or are one slip away."""
        if part not in self._found:
            near = self._by_letter.get(part[0].casefold(), ())
            self._found[part] = frozenset(word for word in near if _is(word, part))
        return self._found[part]


def _is(word: str, part: str) -> bool:
    stem = part.rstrip("*").casefold()
    is_whole = stem == part.casefold()
    if word == stem or (not is_whole and word.startswith(stem)):
        return True
    if len(stem) < _LEAST or word.startswith(phrases.THEIR_OWN):
        return False
    sizes = (len(word),) if is_whole else range(len(stem) - 1, len(stem) + 2)
    return any(_is_slip(word[:size], stem) for size in sizes)


def _is_slip(word: str, meant: str) -> bool:
    """Whether somebody mistyped a longer word: a letter too many, one missing, another one, two swapped."""
    if abs(len(word) - len(meant)) > 1:
        return False
    if word.startswith(phrases.THEIR_OWN):
        return False
    at = next(
        (i for i, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), min(len(word), len(meant))
    )
    rest, wanted = word[at:], meant[at:]
    if rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]:
        return True
    return rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
