"""The schema registry, asked over a real socket."""
