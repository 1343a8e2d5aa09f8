"""The commands of `check-invariants`, one file each; each file's `command` is loaded when it runs."""
