"""What must hold: properties, historical bugs and their expected verdicts."""
