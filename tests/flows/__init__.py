"""The flows on a real SQLite store, with the real catalog; only the way out is scripted."""
