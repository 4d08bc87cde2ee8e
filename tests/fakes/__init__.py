"""Stateful stand-ins for the providers, each a process of its own on loopback."""
