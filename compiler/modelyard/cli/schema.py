"""`modelyard schema`: prints the shipped JSON Schema."""

from __future__ import annotations

import argparse
import sys

import modelyard_schemas


def run(arguments: argparse.Namespace) -> int:
    """Print the chosen schema."""
    sys.stdout.write(modelyard_schemas.text(arguments.name))
    return 0
