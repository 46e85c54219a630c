"""Records of the stored samples: how they are named, read and written."""

import json
import os

# One folder per kind of training: the published models, the controlled experiments.
RECORDS = {"models": "gm-photo/*/*.json", "experiments": "experiments/*/*.json"}


def read_record(path):
    """Read one record, or report that it is missing."""
    if not path.exists():
        raise ValueError(
            f"{path} is missing beside its sheet; pack that training again."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def write_record(path, record):
    """Write one record, indented, so that a diff shows changes."""
    replace(path, (json.dumps(record, indent=1) + "\n").encode())


def replace(path, content):
    """Write bytes under a temporary name and move them into place."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(content)
    os.replace(temporary, path)
