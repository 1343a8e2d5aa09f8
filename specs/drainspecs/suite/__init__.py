"""Rows, pins and deviations: what is decided over all code bases."""
