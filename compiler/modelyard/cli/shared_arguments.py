"""Define options that several commands share."""

from __future__ import annotations

import argparse


def spec(entry: argparse.ArgumentParser, without: str = "the base alone") -> None:
    """Add the spec, environment and variables arguments. `without` says what happens without `--env`."""
    entry.add_argument(
        "spec",
        nargs="?",
        default=".",
        metavar="SPEC",
        help="the spec, or the folder that contains it as system.yaml or modelyard.yaml (default: this folder)",
    )
    entry.add_argument("--env", metavar="NAME", help=f"the environment to lay over the base (default: {without})")
    entry.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="the value of a variable declared under vars; repeatable",
    )


def diagnostics_format(entry: argparse.ArgumentParser) -> None:
    """Add the options for the format and colour of diagnostics."""
    entry.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        default="text",
        help="output format of diagnostics (default: text)",
    )
    colour(entry)


def colour(entry: argparse.ArgumentParser) -> None:
    """Add the option that controls when output is coloured."""
    entry.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal)"
    )
