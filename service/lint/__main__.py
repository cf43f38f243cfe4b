"""Writes the table of codes for `templates/README.md`: `python -m avisa.lint`."""

import sys

from avisa.lint.codes import table

sys.stdout.write(table())
