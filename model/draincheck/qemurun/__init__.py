"""A stock QEMU, driven without a guest's operating system: its log, and what a guest would have read back."""
