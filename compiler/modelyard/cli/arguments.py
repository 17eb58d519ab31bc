"""Define the commands and their options."""

from __future__ import annotations

import argparse
import os
import sys

from modelyard import __version__
from modelyard.cli import review_arguments
from modelyard.cli.help_texts import ABOUT, DETAILS, EXAMPLES, EXIT_CODES, FIRST_STEPS, SUMMARIES
from modelyard.cli.shared_arguments import colour, diagnostics_format, spec

SHELLS = ("bash", "zsh", "fish")


def _examples(command: str) -> str:
    examples = EXAMPLES[command]
    many = "\n" in examples
    return f"{'examples' if many else 'example'}:\n  {examples}"


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return the help formatter, which argparse also creates to check each argument definition.

    argparse's default formatter would import `shutil` and its archive libraries just to measure the terminal.
    """
    try:
        columns = int(os.environ.get("COLUMNS", "0"))
    except ValueError:
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ is not None else 0
        except (ValueError, OSError):  # standard output is closed or not a terminal
            columns = 0
    return argparse.RawDescriptionHelpFormatter(prog, width=(columns or 80) - 2)


def parser(commands: tuple[str, ...]) -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(prog="modelyard", description=ABOUT, epilog=FIRST_STEPS, formatter_class=_formatter)
    top.add_argument("--version", action="version", version=f"modelyard {__version__}")
    top.set_defaults(debug=False)
    # without `prog`, argparse would format the usage and measure the terminal
    subparsers = top.add_subparsers(prog="modelyard", dest="command", metavar="command", required=True)
    for command in commands:
        entry = subparsers.add_parser(
            command,
            help=SUMMARIES[command],
            description=f"{SUMMARIES[command][:1].upper()}{SUMMARIES[command][1:]}.\n\n{DETAILS[command]}",
            epilog=f"{_examples(command)}\n\n{EXIT_CODES}",
            formatter_class=_formatter,
        )
        _ARGUMENTS[command](entry)
        entry.add_argument("--debug", action="store_true", help="show the traceback of an internal error")
    return top


def _init(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="where to write system.yaml (default: this folder)"
    )
    entry.add_argument("--template", default="minimal", metavar="NAME", help="the template (default: minimal)")
    entry.add_argument("--list", action="store_true", help="list the templates")


def _validate(entry: argparse.ArgumentParser) -> None:
    spec(entry, without="the base and every environment")
    diagnostics_format(entry)


def _compile(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    diagnostics_format(entry)
    entry.add_argument("--out", metavar="FOLDER", help="where to write the projects (default: build next to the spec)")
    entry.add_argument(
        "--force",
        action="store_true",
        help="rewrite every file, including files edited by hand; the edited versions are kept next to them",
    )
    entry.add_argument(
        "--forget-removed",
        action="store_true",
        help="drop removed entries from modelyard.lock, after Pulumi has destroyed them",
    )
    entry.add_argument(
        "--against",
        metavar="REV|OLD",
        help="also name what is destroyed compared with an old version: the commit at which this branch left a "
        "branch, tag or commit, or a file or folder",
    )
    entry.add_argument(
        "--approved",
        metavar="FINGERPRINT",
        help="write nothing unless the change has this hash, which `diff --fingerprint` prints",
    )


def _try(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "what",
        nargs="?",
        metavar="FOLDER|TEMPLATE",
        help="the system's folder, or the template to start from (default: modelyard-try, local)",
    )
    entry.add_argument("--once", action="store_true", help="stop after the first round instead of at Ctrl-C")
    entry.add_argument("--ask", action="store_true", help="only ask the system running there for a prediction")
    entry.add_argument("--python", metavar="PATH", help="the Python that has Ray and MLflow (default: this one)")
    colour(entry)


def _run(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    colour(entry)
    entry.add_argument(
        "address",
        nargs="*",
        metavar="ADDRESS",
        help="what to run: pipelines.NAME, inference.NAME or monitors.NAME (default: everything)",
    )
    entry.add_argument("--once", action="store_true", help="run every schedule once now, then stop")
    entry.add_argument("--sample", action="store_true", help="generate datasets that have no files, and requests")
    entry.add_argument(
        "--drift", action="store_true", help="like --sample, with requests that differ from the training data"
    )
    entry.add_argument("--python", metavar="PATH", help="the Python that has Ray and MLflow (default: this one)")
    entry.add_argument(
        "--out", metavar="FOLDER", help="where to write the compiled system (default: build next to the spec)"
    )


def _status(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    colour(entry)
    entry.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")


def _verify(entry: argparse.ArgumentParser) -> None:
    spec(entry, without="every compiled environment")
    diagnostics_format(entry)
    entry.add_argument("--out", metavar="FOLDER", help="where the projects are (default: build next to the spec)")


def _render(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    entry.add_argument(
        "--format",
        choices=("text", "yaml", "json"),
        default="text",
        help="text is YAML with the origin of each value; yaml and json contain only the values (default: text)",
    )
    colour(entry)


def _explain(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "what",
        metavar="WHAT",
        help="a code (E0203, R201), a field (inference.*.replicas) or an address (inference.scorer)",
    )
    spec(entry)
    colour(entry)


def _graph(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    entry.add_argument(
        "--format",
        choices=("mermaid", "svg", "html", "dot", "json"),
        default="mermaid",
        help="notation (default: mermaid)",
    )
    entry.add_argument("--view", choices=("ml", "network"), default="ml", help="what is shown (default: ml)")
    colour(entry)


def _portability(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    entry.add_argument(
        "--to",
        metavar="PROVIDER[:REGION]",
        action="append",
        default=[],
        help="where to move; repeatable (default: every cloud to which something would move)",
    )
    entry.add_argument(
        "--min", metavar="PERCENT", type=percentage, default=0, help="fail if a score is lower (default: 0, never)"
    )
    entry.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="default: text")
    colour(entry)


def _migrate(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    entry.add_argument(
        "--from",
        dest="source",
        metavar="TARGET",
        action="append",
        default=[],
        help="a target that moves; repeatable (default: all in clouds or, if there are none, all)",
    )
    entry.add_argument("--to", metavar="PLACE", help="PROVIDER, PROVIDER:REGION, or another target of the spec")
    entry.add_argument("--name", metavar="NAME", help="the new side's environment (default: ENV-PLACE)")
    entry.add_argument("--overlay", metavar="FILE", help="your own changes to the new side, as an overlay")
    entry.add_argument("--usage", metavar="FILE", help="how much the system is used, as for modelyard cost")
    entry.add_argument("--out", metavar="FOLDER", help="where to write the plan (default: migration next to the spec)")
    entry.add_argument("--status", action="store_true", help="show which phases of a written plan are done")
    entry.add_argument("--done", metavar="PHASE", help="record that a phase of a written plan is done")
    entry.add_argument("--rehearse", action="store_true", help="carry the whole move out on this machine")
    entry.add_argument("--python", metavar="PATH", help="the Python for --rehearse that has Ray and MLflow")
    entry.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")
    colour(entry)


def percentage(typed: str) -> int:
    """Parse a whole percentage. The function's name appears in argparse's error message."""
    value = int(typed)  # argparse reports a ValueError as an invalid value
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{value} is not a percentage")
    return value


def _cost(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    entry.add_argument(
        "--usage", metavar="FILE", help="how much the system is used, with discounts and your own prices"
    )
    entry.add_argument("--against", metavar="OTHER", help="another spec or its folder to compare each line with")
    entry.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="notation (default: text)"
    )
    colour(entry)


def _approve(entry: argparse.ArgumentParser) -> None:
    spec(entry)
    entry.add_argument("--model", required=True, metavar="NAME", help="the model's name in the spec")
    entry.add_argument(
        "--alias", metavar="NAME", help="the alias that may move (default: the only one that requires approvals)"
    )
    entry.add_argument("--digest", metavar="sha256:…", help="the digest of the approved files")
    entry.add_argument("--version", metavar="NUMBER", help="the number of the version in the registry")
    entry.add_argument("--registry", metavar="URL", help="the registry to store the approval in (default: print it)")
    entry.add_argument(
        "--key", required=True, metavar="FILE", help="the SSH key; its public half is enough if an agent has the key"
    )
    entry.add_argument(
        "--save", action="store_true", help="write it to approvals/GROUP/ next to the spec, to be committed"
    )
    entry.add_argument("--reason", default="", metavar="TEXT", help="the reason, kept in the signed statement")


def _schema(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "name",
        nargs="?",
        choices=("system", "environment", "workload"),
        default="system",
        help="of the spec, of a file in environments/, or of a compiled workload's description",
    )


def _lsp(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "--stdio", action="store_true", help="accepted because many editors pass it; no other transport exists"
    )


def _completion(entry: argparse.ArgumentParser) -> None:
    entry.add_argument("shell", choices=SHELLS, help="the shell")


_ARGUMENTS = {
    "init": _init,
    "validate": _validate,
    "compile": _compile,
    "try": _try,
    "run": _run,
    "status": _status,
    "events": _status,
    "verify": _verify,
    "render": _render,
    "explain": _explain,
    "graph": _graph,
    "portability": _portability,
    "migrate": _migrate,
    "cost": _cost,
    "diff": review_arguments.diff,
    "report": review_arguments.report,
    "comment": review_arguments.comment,
    "ci": review_arguments.ci,
    "acknowledge": review_arguments.acknowledge,
    "approve": _approve,
    "schema": _schema,
    "completion": _completion,
    "lsp": _lsp,
}
