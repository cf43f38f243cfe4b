"""Ask the service in this container whether it is ready: exit code 0 or 1. Standard library only.

Ready means that the store, the schema and the catalog are usable and Kafka has answered once; it is what others wait
for. Whoever restarts containers by their health asks /livez instead, which fails only if a restart would help.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

HOST = os.environ.get("AVISA_HTTP__HOST", "127.0.0.1")  # Linux takes 0.0.0.0 and :: for this machine itself
PORT = int(os.environ.get("AVISA_HTTP__PORT", "8080"))
PATIENCE = 4  # seconds; less than the HEALTHCHECK's timeout

try:
    connection = HTTPConnection(HOST, PORT, timeout=PATIENCE)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
except (OSError, HTTPException) as trouble:
    sys.exit(f"no answer: {type(trouble).__name__}")
print(answer.read().decode())  # noqa: T201 -- `docker inspect` shows it
sys.exit(answer.status != 200)
