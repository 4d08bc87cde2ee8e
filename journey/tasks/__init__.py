"""Celery: wake-ups and nothing else. Every task can be lost or doubled without harm."""
