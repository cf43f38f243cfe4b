"""Writes the table of codes for `templates/README.md`: `python -m service.rendering.check`."""

import sys

from service.rendering.check.codes import table

sys.stdout.write(table())
