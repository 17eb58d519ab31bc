"""The command line. The only package that prints, reads specs from disk, and imports both stages and targets."""

from modelyard.cli.main import command, main

__all__ = ["command", "main"]
