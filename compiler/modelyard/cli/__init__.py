"""The command line: the only part that prints, reads the spec from disk, and knows both the stages and the targets."""

from modelyard.cli.main import command, main

__all__ = ["command", "main"]
