"""Tests of the journey service; mirrors journey/."""
