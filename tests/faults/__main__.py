"""`avisa run`, but the group lets go of a killed or frozen process after 1.5 seconds instead of 20."""

import sys

from avisa.cli import main
from tests.crash.runner import let_go_soon

if __name__ == "__main__":
    let_go_soon()
    sys.argv = ["avisa", "run"]
    sys.exit(main())
