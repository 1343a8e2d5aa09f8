"""Rows, pins and deviations: what is decided over all code bases, and the pool that does it."""
