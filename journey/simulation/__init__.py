"""Deterministic simulation: the real engine for a year in seconds, in a world that goes wrong by seed."""

from journey.simulation.history import Violation
from journey.simulation.report import report
from journey.simulation.running import Result, run_simulation

__all__ = ["Result", "Violation", "report", "run_simulation"]
