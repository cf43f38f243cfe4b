"""Avisa lets people know: it tells customers what happens to their orders, and speaks when nothing happens."""

__version__ = "0.1.0"
