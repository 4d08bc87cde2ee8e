"""Operator commands. What goes wrong is said in one line, with what to do; never as a traceback."""

from journey.cli.app import main

__all__ = ["main"]
