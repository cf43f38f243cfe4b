"""Avro: values in its binary encoding, read by the schema that they were written by (Avro 1.12, "Binary encoding").

Both come from strangers, so both are bounded: a schema in types and depth, a value in all that it makes.
"""

from avisa.avro.cursor import ExcessError, MismatchError
from avisa.avro.schema import BadSchema, Schema, compiled

__all__ = ["BadSchema", "ExcessError", "MismatchError", "Schema", "compiled"]
