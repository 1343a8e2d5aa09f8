"""The one explorer of reachable states, and what is asked of what it has found."""
