"""Notebooks executed by papermill: the plan, the jobs, and a record of all runs."""

import sys

# jsonschema imports it for international addresses, which no notebook has; that takes
# three quarters of the start of the command.
sys.modules.setdefault("rfc3987_syntax", None)
