"""The documents are tried, not believed."""
