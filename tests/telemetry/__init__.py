"""Log lines and what they must never hold."""
