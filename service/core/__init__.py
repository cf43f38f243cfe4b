"""The pure core: from what is known and the moment it makes a decision. It has no clock, no I/O, and cannot fail."""
