"""Avro, as another program writes it."""
