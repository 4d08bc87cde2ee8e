"""Identifiers: UUIDs that sort by time (version 7, RFC 9562), so that new rows share index pages."""

from __future__ import annotations

import os
import time
from uuid import UUID


def new_id() -> UUID:
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=(value & ~(0xF << 76) | 7 << 76) & ~(3 << 62) | 2 << 62)
