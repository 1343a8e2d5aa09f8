"""Smaller systems with the same verdicts: steps that are taken at once, states that stand for those that are alike."""
