"""Loads the stable Hypothesis profile before any property test of this folder is collected."""

import tests.strategies  # noqa: F401
