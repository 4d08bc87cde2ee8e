"""Faults on purpose: real processes are killed, servers go away, providers misbehave; then all is counted."""
