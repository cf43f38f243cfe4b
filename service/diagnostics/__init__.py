"""What is wrong and where, told to people: diagnostics, suggestions, and a YAML reader that knows places."""
