"""Define the commands and their options."""

from __future__ import annotations

import argparse
import os
import sys

from modelyard import __version__
from modelyard.cli.help_texts import ABOUT, DETAILS, EXAMPLES, EXIT_CODES, FIRST_STEPS, SUMMARIES

SHELLS = ("bash", "zsh", "fish")


def _examples(command: str) -> str:
    examples = EXAMPLES[command]
    many = "\n" in examples
    return f"{'examples' if many else 'example'}:\n  {examples}"


def _formatter(prog: str) -> argparse.HelpFormatter:
    """Return the help formatter, which argparse also creates to check each argument definition.

    To measure the terminal, argparse's default formatter would import `shutil` and its archive libraries.
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


def _spec(entry: argparse.ArgumentParser, without: str = "the base alone") -> None:
    entry.add_argument(
        "spec",
        nargs="?",
        default=".",
        metavar="SPEC",
        help="the spec, or the folder that holds it as system.yaml or modelyard.yaml (default: this folder)",
    )
    entry.add_argument("--env", metavar="NAME", help=f"the environment to lay over the base (default: {without})")
    entry.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="the value of a variable declared under vars; repeatable",
    )


def _reports(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        default="text",
        help="output format of diagnostics (default: text)",
    )
    _colour(entry)


def _colour(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal)"
    )


def _init(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="where to write system.yaml (default: this folder)"
    )
    entry.add_argument("--template", default="minimal", metavar="NAME", help="the template (default: minimal)")
    entry.add_argument("--list", action="store_true", help="list the templates")


def _validate(entry: argparse.ArgumentParser) -> None:
    _spec(entry, without="the base and every environment")
    _reports(entry)


def _compile(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    _reports(entry)
    entry.add_argument("--out", metavar="FOLDER", help="where to write the projects (default: build next to the spec)")
    entry.add_argument(
        "--force",
        action="store_true",
        help="rewrite every file, including those edited by hand; the edited versions are kept next to them",
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
        help="write nothing if the change has another hash than the one that `diff --fingerprint` printed",
    )


def _try(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "what",
        nargs="?",
        metavar="FOLDER|TEMPLATE",
        help="the folder of the system, or the template to begin with (default: modelyard-try, local)",
    )
    entry.add_argument("--once", action="store_true", help="end after the first round, instead of at Ctrl-C")
    entry.add_argument("--ask", action="store_true", help="only ask the system that runs there for a prediction")
    entry.add_argument("--python", metavar="PATH", help="the Python that has Ray and MLflow (default: this one)")
    _colour(entry)


def _run(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    _colour(entry)
    entry.add_argument(
        "address",
        nargs="*",
        metavar="ADDRESS",
        help="what to run: pipelines.NAME, inference.NAME or monitors.NAME (default: everything)",
    )
    entry.add_argument("--once", action="store_true", help="run every schedule once now, and end")
    entry.add_argument("--sample", action="store_true", help="generate datasets that have no files, and requests")
    entry.add_argument(
        "--drift", action="store_true", help="like --sample, with requests that differ from the training data"
    )
    entry.add_argument("--python", metavar="PATH", help="the Python that has Ray and MLflow (default: this one)")
    entry.add_argument("--out", metavar="FOLDER", help="where to write what is run (default: build next to the spec)")


def _status(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    _colour(entry)
    entry.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")


def _verify(entry: argparse.ArgumentParser) -> None:
    _spec(entry, without="every compiled environment")
    _reports(entry)
    entry.add_argument("--out", metavar="FOLDER", help="where the projects are (default: build next to the spec)")


def _render(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument(
        "--format",
        choices=("text", "yaml", "json"),
        default="text",
        help="text is YAML with the origin of each value; yaml and json hold the values alone (default: text)",
    )
    _colour(entry)


def _explain(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "what",
        metavar="WHAT",
        help="a code (E0203, R201), a field (inference.*.replicas) or an address (inference.scorer)",
    )
    _spec(entry)
    _colour(entry)


def _graph(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument(
        "--format",
        choices=("mermaid", "svg", "html", "dot", "json"),
        default="mermaid",
        help="notation (default: mermaid)",
    )
    entry.add_argument("--view", choices=("ml", "network"), default="ml", help="what is shown (default: ml)")
    _colour(entry)


def _portability(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument(
        "--to",
        metavar="PROVIDER[:REGION]",
        action="append",
        default=[],
        help="where to move; repeatable (default: every cloud that the system does not use)",
    )
    entry.add_argument(
        "--min", metavar="PERCENT", type=percentage, default=0, help="fail if a score is lower (default: 0, never)"
    )
    entry.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="default: text")
    _colour(entry)


def _migrate(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument(
        "--from",
        dest="source",
        metavar="TARGET",
        action="append",
        default=[],
        help="a target that moves; repeatable (default: all in clouds or, if none is, all)",
    )
    entry.add_argument("--to", metavar="PLACE", help="PROVIDER, PROVIDER:REGION, or another target of the spec")
    entry.add_argument("--name", metavar="NAME", help="the new side's environment (default: ENV-PLACE)")
    entry.add_argument("--overlay", metavar="FILE", help="your own changes to the new side, as an overlay")
    entry.add_argument("--usage", metavar="FILE", help="how much the system is used, as for modelyard cost")
    entry.add_argument("--out", metavar="FOLDER", help="where to write the plan (default: migration next to the spec)")
    entry.add_argument("--status", action="store_true", help="show which phases of a written plan are done")
    entry.add_argument("--done", metavar="PHASE", help="record that a phase of a written plan is done")
    entry.add_argument("--format", choices=("text", "json"), default="text", help="output format (default: text)")
    _colour(entry)


def percentage(typed: str) -> int:
    """Parse a whole percentage. The function's name is part of argparse's message."""
    value = int(typed)  # argparse reports a ValueError as an invalid value
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{value} is not a percentage")
    return value


def _cost(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument("--usage", metavar="FILE", help="how much the system is used, with discounts and own prices")
    entry.add_argument(
        "--against", metavar="OTHER", help="another spec or its folder, with which each line is compared"
    )
    entry.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="notation (default: text)"
    )
    _colour(entry)


def _versions(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "spec",
        nargs="?",
        default=".",
        metavar="SPEC",
        help="the spec or its folder; with NEW, the old version (default: this folder)",
    )
    entry.add_argument("new", nargs="?", metavar="NEW", help="the new version, if SPEC is the old one")
    entry.add_argument(
        "--against", metavar="REV", help="the branch, tag or commit that this branch left (default: the default branch)"
    )
    entry.add_argument("--env", metavar="NAME", help="compare one environment (default: the base and all environments)")
    entry.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="the value of a variable declared under vars, in both versions; repeatable",
    )
    entry.add_argument(
        "--preview",
        metavar="FILE",
        action="append",
        default=[],
        help="what `pulumi preview --json` wrote, to compare with what is deployed; repeatable, one for each stack",
    )


def _fail_on(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "--fail-on",
        choices=("danger", "review", "never"),
        default="danger",
        help="the lowest level at which the exit code is 1 (default: danger)",
    )


def _diff(entry: argparse.ArgumentParser) -> None:
    _versions(entry)
    entry.add_argument(
        "--format",
        choices=("text", "markdown", "json", "sarif", "html", "github"),
        default="text",
        help="output format (default: text)",
    )
    entry.add_argument(
        "--level",
        choices=("danger", "review", "note", "quiet"),
        default="note",
        help="the lowest level that is shown (default: note)",
    )
    _fail_on(entry)
    entry.add_argument(
        "--fingerprint", action="store_true", help="print only the hash of the change, for `compile --approved`"
    )
    _colour(entry)


def _acknowledge(entry: argparse.ArgumentParser) -> None:
    entry.add_argument("spec", metavar="SPEC", help="the spec or its folder, in the new version")
    entry.add_argument("fingerprint", metavar="FINGERPRINT", help="of a danger or something to review in `diff`")
    entry.add_argument("--by", default="", metavar="NAME", help="who accepts it (default with --key: its comment)")
    entry.add_argument("--reason", required=True, metavar="TEXT", help="why")
    entry.add_argument("--until", required=True, metavar="DATE", help="the last day on which it counts: 2027-01-31")
    entry.add_argument("--key", metavar="FILE", help="an SSH key of a group under governance.approvers, to sign with")
    entry.add_argument(
        "--against",
        metavar="REV|OLD",
        help="the old version: a branch, tag or commit, or a file or folder (default: the default branch)",
    )
    entry.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="the value of a variable declared under vars, in both versions; repeatable",
    )
    entry.set_defaults(env=None)
    _colour(entry)


def _report(entry: argparse.ArgumentParser) -> None:
    _versions(entry)
    entry.add_argument("--out", metavar="FOLDER", default="report", help="where to write (default: report)")
    entry.set_defaults(format="text")  # of diagnostics
    _fail_on(entry)
    _colour(entry)


def _host(entry: argparse.ArgumentParser) -> None:
    entry.add_argument("host", choices=("github", "gitlab", "azure"), help="the code host")


def _comment(entry: argparse.ArgumentParser) -> None:
    _host(entry)
    entry.add_argument("--report", metavar="FOLDER", default="report", help="the report's folder (default: report)")
    entry.add_argument(
        "--author",
        metavar="LOGIN",
        default="github-actions[bot]",
        help="whose comment is updated on GitHub (default: github-actions[bot], which owns GITHUB_TOKEN)",
    )


def _ci(entry: argparse.ArgumentParser) -> None:
    _host(entry)
    entry.add_argument(
        "spec", nargs="?", default=".", metavar="SPEC", help="the spec, or its folder, in the repository (default: .)"
    )
    entry.add_argument(
        "--out", metavar="FOLDER", default=".", help="the root of the repository, or - to print (default: .)"
    )
    entry.add_argument(
        "--requirements",
        metavar="FILE",
        default="",
        help="install from this file of the repository, with hashes (default: this version of modelyard)",
    )
    _fail_on(entry)


def _approve(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument("--model", required=True, metavar="NAME", help="the model's name in the spec")
    entry.add_argument(
        "--alias", metavar="NAME", help="the alias that may move (default: the only one that requires approvals)"
    )
    entry.add_argument("--digest", metavar="sha256:…", help="the digest of the approved files")
    entry.add_argument("--version", metavar="NUMBER", help="the number of the version in the registry")
    entry.add_argument("--registry", metavar="URL", help="the registry to store the approval in (default: print it)")
    entry.add_argument(
        "--key", required=True, metavar="FILE", help="the SSH key; the public half is enough if an agent has the key"
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
    entry.add_argument("--stdio", action="store_true", help="accepted because many editors add it; it is the only way")


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
    "diff": _diff,
    "report": _report,
    "comment": _comment,
    "ci": _ci,
    "acknowledge": _acknowledge,
    "approve": _approve,
    "schema": _schema,
    "completion": _completion,
    "lsp": _lsp,
}
