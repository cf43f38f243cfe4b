"""The service killed at every step, and at random instants; the oracle judges what came of it."""
