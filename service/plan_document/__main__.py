"""Writes the JSON Schema of the plan: `python -m service.plan_document > templates/plan.schema.json`."""

import json
import sys

from service.plan_document import schema

sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
