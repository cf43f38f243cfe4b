"""The pure core: it makes a decision from what is known and the moment. It has no clock, no I/O, and cannot fail."""
