"""The `check-invariants` command."""
