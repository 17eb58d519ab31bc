"""`modelyard schema`: the JSON Schema as it is shipped."""

from __future__ import annotations

import argparse
import sys

import modelyard_schemas


def run(arguments: argparse.Namespace) -> int:
    """Print the schema that was asked for."""
    sys.stdout.write(modelyard_schemas.text(arguments.name))
    return 0
