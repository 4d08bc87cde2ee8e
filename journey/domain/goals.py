"""What ends a step before its time: goals that a pathway declares, and one that every pathway knows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

CONFIRMED = "confirmed"  # the patient said yes to the date


def goals_reached(
    declared: Iterable[str], procedure_date: date | None, confirmed_for: date | None
) -> frozenset[str]:
    """The goals that hold now. `declared`: those reached for good; a yes to one date is no yes to another."""
    is_confirmed = procedure_date is not None and procedure_date == confirmed_for
    return frozenset(declared) - {CONFIRMED} | ({CONFIRMED} if is_confirmed else set())
