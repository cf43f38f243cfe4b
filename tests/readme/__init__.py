"""The README is tried, not believed."""
