"""Patients as pages show them: their messages, one line of time, and what a change would do to both."""
