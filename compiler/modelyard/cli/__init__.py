"""The command line: the only place that prints, reads the spec from disk, and meets both the rooms and the targets."""

from modelyard.cli.main import main

__all__ = ["main"]
