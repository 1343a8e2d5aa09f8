"""Questions about code bases: why a verdict is so, what mends it, how it is in all variants."""
