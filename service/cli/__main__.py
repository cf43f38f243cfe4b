"""`python -m avisa.cli`, where the command itself is not on the path."""

import sys

from avisa.cli import main

sys.exit(main())
