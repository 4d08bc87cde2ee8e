"""The pure core: values in, values out. Nothing here does I/O or reads a clock."""
