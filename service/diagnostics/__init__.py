"""What tells a person what is wrong where: diagnostics, suggestions, and a YAML reader that knows places."""
