"""`modelyard schema`: print a JSON Schema, for editors or for workload descriptions."""

from __future__ import annotations

import argparse
import sys

import modelyard_schemas
from modelyard.editor.schema import schema_text


def run(arguments: argparse.Namespace) -> int:
    """Print the chosen schema."""
    name: str = arguments.name
    sys.stdout.write(modelyard_schemas.text(name) if name == "workload" else schema_text(name))
    return 0
