"""Orders played through the whole service, on its virtual clock, with real parts around it; the oracle judges."""
