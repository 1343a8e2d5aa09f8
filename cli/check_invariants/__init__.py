"""The `check-invariants` command line: `main` is the application, `exit` the table of exit codes, `commands` one file a command."""
