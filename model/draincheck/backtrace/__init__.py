"""Backtraces of real programs: read, and found again among the states of models."""
