"""Inputs that nobody meant, for every format that the command line reads."""
