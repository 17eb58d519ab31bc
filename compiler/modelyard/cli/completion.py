"""`modelyard completion`: print a shell script that completes the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def run(arguments: argparse.Namespace) -> int:
    """Print the completion script for the named shell."""
    folder = Path(__file__).parent.parent / "completions"
    sys.stdout.write((folder / f"modelyard.{arguments.shell}").read_text(encoding="utf-8"))
    return 0
