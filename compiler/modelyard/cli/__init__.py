"""The command line, the only part that prints, reads the spec from disk, and imports both stages and targets."""

from modelyard.cli.main import command, main

__all__ = ["command", "main"]
