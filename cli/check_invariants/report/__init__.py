"""What the commands show: tables, text, JSON; one file a command, loaded when it runs."""
