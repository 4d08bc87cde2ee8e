"""What a patient's reply means, as far as a machine may decide it: everything else is for a person.

A wrong guess must cost a glance, never a patient: whatever is not plainly one of a few words is OTHER, and
words that may be urgent are found by any of their forms, in any sentence, also in "no fever".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator

from journey.domain.facts import Strict


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

    Each phrase is a few words that must all stand in the reply, in any order; `*` stands for any ending.
    """

    title: str = Field(min_length=1, max_length=60)
    words: tuple[str, ...] = Field(min_length=1)

    @field_validator("words")
    @classmethod
    def _are_words(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in phrases:
            if not re.fullmatch(r"[^\W_]{2,}\*?( [^\W_]{2,}\*?)*", phrase):
                raise ValueError(
                    f"{phrase!r} must be words of two letters or more, each at most with a * at its end"
                )
        return phrases


class Replies(Strict):
    """What a pathway says about its patients' replies."""

    red_flags: tuple[RedFlag, ...] = ()
    answers: tuple[Literal["urgent", "help"], ...] = ()  # what is answered by itself, each with a template


@dataclass(frozen=True, slots=True)
class Reading:
    """`is_plain`: there is nothing in the reply but its intent. `red_flags`: their titles."""

    intent: Intent
    is_plain: bool
    red_flags: tuple[str, ...] = ()


def triage(text: str, red_flags: Iterable[RedFlag]) -> Reading:
    """What a reply asks for. The same text always reads the same."""
    words = _words(text)
    said = set(words)
    found = tuple(dict.fromkeys(flag.title for flag in red_flags if _has_any(said, flag.words)))
    intent, is_plain = _intent(text, words)
    return Reading(intent, is_plain, found)


_MOST = 5_000  # characters; one sign can stand for eighteen


def _words(text: str) -> list[str]:
    text = re.sub("['’‘`´ʼ′]", "", text)  # "can't" is found as "cant"; before it is taken apart
    plain = unicodedata.normalize("NFKC", text)[:_MOST].casefold()
    return re.findall(r"[^\W_]+", plain)


# Law: any reasonable way of saying so counts (47 CFR 64.1200(a)(10)); the words are those it names.
_STOP = frozenset("stop stopall unsubscribe quit revoke optout".split())
_CANCEL = frozenset("cancel end".split())
_START = frozenset("start unstop resume subscribe".split())
_HELP = frozenset("help info".split())
_AROUND_HELP = frozenset("please me i need".split())
_STOP_PHRASES = (
    "opt out", "opt me out", "take me off", "remove me", "remove my number", "unsubscribe",
    "no more texts", "no more messages", "no more sms", "stop texting", "stop messaging", "stop contacting",
    "stop sending", "stop texts", "stop messages", "dont text", "do not text", "dont message",
    "do not message", "dont contact", "do not contact", "wrong number", "wrong person",
)  # fmt: skip
_CALL_OFF_PHRASES = (
    "cancel", "cancelling", "canceling", "cancelled", "canceled", "postpone", "reschedule", "rearrange",
    "another date", "different date", "other date", "new date", "another day", "different day",
    "change the date", "change my date", "cant come", "cannot come", "cant make", "cannot make",
    "cant attend", "cannot attend", "not coming", "wont come", "wont be coming", "wont be there",
    "not going ahead", "dont want the", "changed my mind",
)  # fmt: skip
_AROUND_STOP = frozenset(
    "please pls plz now thanks thank you hi hello hey all any me my to the this these those it sms text "
    "texts txt texting message messages messaging msg msgs sending getting receiving".split()
)
_YES = frozenset("y yes yep yeah yea yup confirm confirmed".split())
_AROUND_YES = frozenset(
    "please thanks thank you i im am will ill be there coming come can and both to is arranged escort have "
    "an the ok okay sure definitely of course see then hi hello it that my".split()
)
_NO = frozenset("n no nope nah".split())
_AROUND_NO = frozenset(
    "sorry thanks thank you i im am cant cannot can not come coming make it be there".split()
)
_THANKS = frozenset(
    "ok okay k kk thanks thank thx ta cheers great perfect noted understood received got fine lovely "
    "brilliant 👍 👌 🙏".split()
)
_AROUND_THANKS = frozenset(
    "you it will do very much so many i all thats that is the for info information reminder hi hello good "
    "again a lot have your message text".split()
)


# The whole reply is one of the wanted words, with nothing around it that changes it. In this order.
_ORDERS = (
    (Intent.STOP, _STOP, _AROUND_STOP),
    (Intent.CANCEL, _CANCEL, _AROUND_STOP),
    (Intent.START, _START, _AROUND_STOP),
    (Intent.HELP, _HELP, _AROUND_HELP),
)
_ANSWERS = (
    (Intent.YES, _YES, _AROUND_YES),
    (Intent.NO, _NO, _AROUND_NO),
    (Intent.THANKS, _THANKS, _AROUND_THANKS),
)


def _intent(text: str, words: list[str]) -> tuple[Intent, bool]:
    said = words or _signs(text)
    for intent, wanted, around in _ORDERS:
        if _is_only(said, wanted, around):
            return intent, True
    first = _words(re.split(r"[.!,;:\n]", text, maxsplit=1)[0])
    if _is_only(first, _STOP, _AROUND_STOP) or _says_any(words, _STOP_PHRASES):
        return Intent.STOP, False
    for intent, wanted, around in _ANSWERS:
        if "?" not in text and _is_only(said, wanted, around):
            return intent, True
    return (Intent.CALL_OFF if _says_any(words, _CALL_OFF_PHRASES) else Intent.OTHER), False


def _signs(text: str) -> list[str]:
    """What is left of a text without letters, such as a thumb: without variants and skin tones."""
    return [char for char in text if unicodedata.category(char) == "So"]


def _is_only(words: Sequence[str], wanted: frozenset[str], around: frozenset[str]) -> bool:
    """Whether the words are one of the wanted and nothing but words that change nothing."""
    return any(word in wanted for word in words) and all(word in wanted or word in around for word in words)


def _says_any(words: Sequence[str], phrases: Iterable[str]) -> bool:
    """Whether a phrase stands there word for word, and no "don't" before it turns it round."""
    line = f" {' '.join(words)} "
    for phrase in phrases:
        before, found, _ = line.partition(f" {phrase} ")
        if found and not re.search(r" (dont|never|not)$", before):
            return True
    return False


def _has_any(words: Collection[str], phrases: Iterable[str]) -> bool:
    return any(all(_has(words, part) for part in phrase.split()) for phrase in phrases)


def _has(words: Collection[str], part: str) -> bool:
    stem = part.rstrip("*").casefold()
    if stem == part.casefold():
        return any(word == stem or _is_slip(word, stem) for word in words)
    sizes = range(len(stem) - 1, len(stem) + 2)
    return any(word.startswith(stem) or any(_is_slip(word[:size], stem) for size in sizes) for word in words)


_LEAST = 6  # letters; shorter words are one slip away from too many others, as fever is from never


def _is_slip(word: str, meant: str) -> bool:
    """Whether somebody mistyped a longer word: a letter too many, one missing, another one, two swapped."""
    if len(meant) < _LEAST or abs(len(word) - len(meant)) > 1 or word[:1] != meant[:1]:
        return False
    at = next(
        (i for i, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), min(len(word), len(meant))
    )
    rest, wanted = word[at:], meant[at:]
    if rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]:
        return True
    return rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
