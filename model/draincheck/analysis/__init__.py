"""What can be said of a system beyond verdicts: explanations, what can still be avoided, probabilities, decision tables."""
