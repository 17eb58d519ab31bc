"""The command line. Only this package prints, reads the spec from disk, and imports both stages and targets."""

from modelyard.cli.main import command, main

__all__ = ["command", "main"]
