"""Tests of real processes live in real time, and messages keep quiet hours: go where it is noon."""

from datetime import UTC, datetime


def noon_zone(now: datetime | None = None) -> str:
    """The fixed-offset zone whose clocks are nearest to noon."""
    hour = (now or datetime.now(UTC)).hour
    # POSIX signs: Etc/GMT-3 is three hours ahead of UTC. It exists from -14 to +12.
    ahead = 12 - hour
    if ahead == 0:
        return "Etc/GMT"
    return f"Etc/GMT{'-' if ahead > 0 else '+'}{abs(ahead)}"
