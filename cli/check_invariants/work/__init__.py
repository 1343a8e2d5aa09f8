"""What the commands do and show: one file a command, loaded when it runs."""
