"""Ask the service in this container whether it is ready: exit code 0 or 1. Standard library only.

Ready means that the store, the schema and the catalog are usable and Kafka has answered once; it is what others wait
for. Whoever restarts containers by their health asks /livez instead, which fails only if a restart would help.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

# Health is answered with the public pages on loopback, else apart. Linux takes 0.0.0.0 and :: for this machine.
PUBLIC = os.environ.get("AVISA_HTTP__HOST", "127.0.0.1")
ALONE = PUBLIC in ("localhost", "::1") or PUBLIC.startswith("127.")
HOST = os.environ.get("AVISA_HTTP__ADMIN_HOST") or (PUBLIC if ALONE else "127.0.0.1")
TOGETHER = os.environ.get("AVISA_HTTP__PORT", "8080") if ALONE and HOST == PUBLIC else "8081"
PORT = int(os.environ.get("AVISA_HTTP__ADMIN_PORT") or TOGETHER)
PATIENCE = 4  # seconds; less than the HEALTHCHECK's timeout

try:
    connection = HTTPConnection(HOST, PORT, timeout=PATIENCE)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
except (OSError, HTTPException) as trouble:
    sys.exit(f"no answer: {type(trouble).__name__}")
print(answer.read().decode())  # noqa: T201 -- `docker inspect` shows it
sys.exit(answer.status != 200)
