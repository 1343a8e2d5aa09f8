"""Engines: each decides properties of a `TransitionSystem`, one file each, and returns values; none prints."""
