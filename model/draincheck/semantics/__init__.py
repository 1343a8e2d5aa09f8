"""What a run shows: which states and steps violate a property or meet its goal, and the check that a path does."""
