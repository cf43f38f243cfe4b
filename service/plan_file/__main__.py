"""Writes the JSON Schema of the plan: `python -m avisa.plan_file > templates/plan.schema.json`."""

import json
import sys

from avisa.plan_file import json_schema

sys.stdout.write(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")
