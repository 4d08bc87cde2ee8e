"""Sealed columns and look-up tokens: AES-256-GCM under a key ring, keyed hashes of addresses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12
_KEY_ID = 4
TOKEN_BYTES = 16


class SealError(Exception):
    """A value cannot be opened: its key is not in the ring, or it was tampered with."""


def read_keys(text: str) -> list[bytes]:
    """JOURNEY_SECRET_KEYS: URL-safe base64 of 32 bytes each, comma-separated, the first one seals."""
    keys = []
    for number, part in enumerate((p.strip() for p in text.split(",") if p.strip()), start=1):
        try:
            key = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != 32:
            raise ValueError(
                f"key {number} is not URL-safe base64 of 32 bytes; make one with: journey keys new"
            )
        keys.append(key)
    if len(set(keys)) != len(keys):
        raise ValueError("the same key stands twice in the ring; remove one")
    return keys


def new_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"journey/" + purpose).derive(key)


class Sealer:
    """Seals under the first key, opens under any. `place` names table and column, `row` what the value
    belongs to: copied into another column or another row, it does not open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("there is no secret key; set JOURNEY_SECRET_KEYS")
        self._ciphers = {_derive(key, b"id")[:_KEY_ID]: AESGCM(_derive(key, b"seal")) for key in keys}
        self._first = next(iter(self._ciphers))
        self._stable = {_derive(key, b"id")[:_KEY_ID]: AESSIV(_derive(key, b"stable")) for key in keys}
        self._index_keys = [_derive(key, b"index") for key in keys]

    def seal(self, value: Any, place: str, *row: Any) -> bytes:
        """A JSON value as bytes that only this key ring opens."""
        nonce = os.urandom(_NONCE)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return self._first + nonce + self._ciphers[self._first].encrypt(nonce, text, _bound(place, row))

    def open(self, sealed: bytes, place: str, *row: Any) -> Any:
        sealed = bytes(sealed)
        cipher = self._ciphers.get(sealed[:_KEY_ID])
        if cipher is None:
            raise SealError(
                f"{place} was sealed with a key that is not in JOURNEY_SECRET_KEYS; add the old key "
                "behind the new one"
            )
        nonce, text = sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
        try:
            return json.loads(cipher.decrypt(nonce, text, _bound(place, row)))
        except (InvalidTag, ValueError) as error:
            raise SealError(f"{place} was changed outside Journey and cannot be trusted") from error

    def seal_stable(self, text: str, place: str) -> bytes:
        """The same bytes for the same text (AES-SIV), for what is written twice and must not differ."""
        return self._first + self._stable[self._first].encrypt(text.encode(), [place.encode()])

    def open_stable(self, sealed: bytes, place: str) -> str:
        cipher = self._stable.get(sealed[:_KEY_ID])
        if cipher is None:
            raise SealError(f"{place} was sealed with a key that is not in JOURNEY_SECRET_KEYS")
        try:
            return cipher.decrypt(sealed[_KEY_ID:], [place.encode()]).decode()
        except (InvalidTag, ValueError) as error:
            raise SealError(f"{place} was changed outside Journey and cannot be trusted") from error

    def is_current(self, sealed: bytes) -> bool:
        """Whether the value is sealed under the first key (rotation re-seals the others)."""
        return bytes(sealed[:_KEY_ID]) == self._first

    def token(self, kind: str, value: str) -> bytes:
        """The look-up token to store for a value, under the first key."""
        return _keyed_hash(self._index_keys[0], kind, value)

    def tokens(self, kind: str, value: str) -> list[bytes]:
        """The tokens under every key of the ring, to look up rows of before a rotation."""
        return [_keyed_hash(key, kind, value) for key in self._index_keys]


def _bound(place: str, row: Sequence[Any]) -> bytes:
    return "/".join((place, *map(str, row))).encode()


def _keyed_hash(key: bytes, kind: str, value: str) -> bytes:
    return hmac.digest(key, f"{kind}\0{value}".encode(), hashlib.sha256)[:TOKEN_BYTES]
