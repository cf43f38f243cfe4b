"""The `avisa` command, run as a command."""
