"""The ways out: each takes a finished message and gives one honest receipt."""
