"""Passwords: Argon2id hashes, and a check for those that everybody would guess. Nothing leaves the house."""

from __future__ import annotations

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from journey.domain.access import FIRST_PASSWORD

_MOST, _STRONG_ENOUGH = 200, 3  # characters; of zxcvbn's 0 to 4
_LOOKED_AT = 40  # characters
_OWN = 8  # letters and digits that neither name nor address gives away
_hasher = PasswordHasher()  # RFC 9106's second choice: 64 MiB
_NOBODY = _hasher.hash("whoever has no account takes as long as whoever has one")
# Each hash takes 64 MiB: a crowd at the door waits instead of filling the memory.
_at_once = threading.Semaphore(4)


def hash_password(password: str) -> str:
    with _at_once:
        return _hasher.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Takes as long for an account that does not exist."""
    with _at_once:
        try:
            fits = _hasher.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return fits and password_hash is not None


def check_password(password: str, *about: str) -> None:
    """Raises ValueError with what to do about a password that is short, common or close to `about`."""
    if len(password) < FIRST_PASSWORD:
        raise ValueError(f"has {len(password)} characters; use at least {FIRST_PASSWORD}, such as four words")
    if len(password) > _MOST:
        raise ValueError(f"has {len(password)} characters; use at most {_MOST}")
    words = [word for text in about for word in text.lower().replace("@", " ").replace(".", " ").split()]
    left = password.lower()
    for word in words:
        left = left.replace(word, "")
    if sum(char.isalnum() for char in left) < _OWN:
        raise ValueError("is little more than your name or address; use words that do not belong together")
    # Its time grows with the square of the length; whatever comes after this many makes it only stronger.
    guess = zxcvbn(password[:_LOOKED_AT], user_inputs=["journey", *words])
    if guess["score"] < _STRONG_ENOUGH:
        warning = str(guess["feedback"]["warning"]).rstrip(".").lower()
        why = f" ({warning})" if warning else ""
        raise ValueError(f"is easy to guess{why}; use four words that do not belong together")
