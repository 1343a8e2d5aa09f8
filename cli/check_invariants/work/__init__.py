"""What the commands do: one file a command, loaded when it runs."""
