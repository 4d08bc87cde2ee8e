"""Journey sends each patient of a procedure clinic the right message at the right local time."""

__version__ = "0.1.0"
