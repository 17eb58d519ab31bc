"""Define the commands, their options, and their help."""

from __future__ import annotations

import argparse
import os
import sys

from modelyard import __version__

SHELLS = ("bash", "zsh", "fish")

_ABOUT = """One YAML spec for a whole ML system, compiled offline into Pulumi projects with Ray on Kubernetes."""

_FIRST_STEPS = """first steps:
  modelyard init my-system            a spec to start from (see: modelyard init --list)
  modelyard validate my-system        all errors, with line and column
  modelyard compile my-system         my-system/build/default/<target>/, ready for `pulumi up`

exit codes: 0 fine, 1 the spec is wrong, 2 modelyard is wrong (please report it), 130 interrupted
"""
_EXIT_CODES = "exit codes: 0 fine, 1 the input is wrong, 2 modelyard is wrong (please report it), 130 interrupted"

_SUMMARIES = {
    "init": "write a spec to start from",
    "validate": "check a spec and print all errors",
    "compile": "write the Pulumi projects of a spec",
    "run": "run a system on this machine",
    "status": "show what runs on this machine, and how each workload ended last",
    "events": "show what has happened on this machine, oldest first",
    "verify": "check that projects and lock match the spec",
    "render": "print the spec after overlays and defaults, with the origin of each value",
    "explain": "explain a field, a diagnostic code, or an address such as inference.scorer",
    "graph": "draw the system: from data through models and endpoints to monitors",
    "portability": "report what would have to change to run a system on another provider",
    "cost": "list what a system costs a month, line by line",
    "diff": "review a change: what it means, whom it reaches, and what cannot be undone",
    "approve": "sign that a version of a model may go live",
    "schema": "print the JSON Schema of a spec or of an environment, for editors",
    "completion": "print the script that completes this command line in a shell",
    "lsp": "serve an editor: errors while typing, descriptions and completion",
}

_DETAILS = {
    "init": (
        "The folder becomes the system's name. The schema is written next to the spec, so that editors with a YAML\n"
        "language server complete and check it. An existing spec is left unchanged."
    ),
    "validate": (
        "One run reports all errors, each with its line and a hint; the last line names the checks that could not\n"
        "run because of them, if any. Warnings do not fail, and appear once there are no errors.\n"
        "Without --env, the base and every environment are checked, including those in files next to the spec: each\n"
        "error is reported once, with its environments if it does not affect all. What the base lacks is no error\n"
        "if every environment adds it. The command writes nothing and opens no connection."
    ),
    "compile": (
        "The projects go to build/ENVIRONMENT/TARGET/ next to the spec, each with a README.md that explains how to\n"
        "apply them, and modelyard.lock is written next to the spec. On errors nothing is written. It never\n"
        "deploys anything."
    ),
    "run": (
        "Compiles an environment with `mode: local` and runs it: training, gates, promotion, endpoints, batch\n"
        "inference and monitors, on one Ray, with MLflow on SQLite, and folders for buckets. It needs the extra\n"
        "`modelyard[local]`. Everything is kept in .modelyard/ENVIRONMENT next to the spec, so that the next run goes\n"
        "on from there; deleting that folder starts over. Ctrl-C ends it, and leaves no process behind.\n"
        "With --sample, datasets without files are generated from what the spec declares."
    ),
    "status": "Reads the folder in which `modelyard run` keeps everything.",
    "events": "Reads the folder in which `modelyard run` keeps everything.",
    "verify": (
        "Compiles everything again in memory and compares it with the files in build/ and with modelyard.lock.\n"
        "Nothing in the output folder is trusted, not even its hashes: an edited manifest, an added file and a false\n"
        "version in the lock are errors. Run it in CI where build/ is committed, and before `pulumi up`. It writes\n"
        "nothing."
    ),
    "render": (
        "Prints YAML to standard output; a comment on each line names the file and line, or the default. Programs\n"
        "read plain YAML or JSON. Diagnostics go to standard error."
    ),
    "explain": (
        "An address is a place in a spec. The output shows where it is written, its resources and objects, their\n"
        "connections, and why they run on that machine. Fields need no spec; * stands for any name."
    ),
    "graph": (
        "The ml view shows how data becomes a model, how the model goes live, and what watches it. The network view\n"
        "shows the resources on each target and their connections. GitHub and GitLab render Mermaid in a code block;\n"
        "svg and html are files of their own, dot is for Graphviz, json for programs."
    ),
    "portability": (
        "Moves the system to each other cloud in memory, by changing only provider and region of its targets, and\n"
        "lists what is refused there. Without a region, the one in the same country with the fewest refusals is\n"
        "chosen, else one that the residency allows; a target's account is left out, because it is another one there.\n"
        "The score is the percentage of the parts of the spec (stores, models, endpoints, targets …) that no refusal\n"
        "is about. --min makes CI fail when a change ties the system to its provider. It writes nothing."
    ),
    "cost": (
        "Every line is a quantity times a price, with source, date and region. The floor is paid even if nothing is\n"
        "used; the ceiling is a bound by replicas, timeouts, retries and cooldowns; the expected cost follows from\n"
        "--usage, or from assumptions that each line names. ~ marks prices that are estimated from another region.\n"
        "The usage file is YAML and addressed like the spec; it may also have discounts and own prices:\n"
        "\n"
        "  inference: {scorer: {rps: {mean: 12, peak: 60}, requestBytes: 900, responseBytes: 200, requestTime: 40ms}}\n"
        "  pipelines: {retrain: {typical: 3h}}\n"
        "  data: {transactions: {rowsPerDay: 2M, bytesPerRow: 140}}\n"
        "  discounts: {compute: 28%}\n"
        "  priceBook: prices.yaml\n"
        "\n"
        "It opens no connection. docs/cost.md explains the model, and what is left out."
    ),
    "diff": (
        "Compares what two versions of a spec mean, in every environment, with variables, overlays and defaults\n"
        "applied; formatting, order and short forms are no change. `diff OLD NEW` compares two files or folders.\n"
        "`diff SPEC --against REV` compares with the commit at which this branch left REV, and `diff SPEC` with\n"
        "where it left the default branch; only these two run git.\n\n"
        "Levels: danger cannot be undone, gives up a safeguard, or lets data go where it was not; review is for\n"
        "whoever owns it to look at; a note is true and harmless. Each finding has a code for `modelyard explain`.\n"
        "If one version does not compile, the verdict is that the change cannot be judged, and the exit code is 1.\n"
        "The command writes nothing and opens no connection."
    ),
    "approve": (
        "ssh-keygen signs a statement about the files of one version, by their digest, with a key that the spec lists\n"
        "under governance.approvers. With --registry and --version, the digest is read from the version, and the\n"
        "statement is stored with it; the login is in MLFLOW_TRACKING_USERNAME and\n"
        "MLFLOW_TRACKING_PASSWORD. With --digest alone, the statement is printed. With --save it is written next to\n"
        "the spec, to be committed and reviewed, and counts once the compiled projects are applied. Use the --env\n"
        "that the version was trained or imported in: an approval counts in one environment."
    ),
    "schema": (
        "Prints JSON Schema, draft 2020-12. `modelyard init` writes the schema of the spec next to it; the schema of\n"
        "environments is for the files in environments/. docs/editor.md describes how to set up an editor."
    ),
    "lsp": (
        "An editor starts it and talks to it by the Language Server Protocol, over standard input and output.\n"
        "It needs an extra: pip install 'modelyard[editor]'. docs/editor.md describes how to set up an editor."
    ),
    "completion": "Source it in your shell's start-up file, or save it where the shell looks for completions.",
}

_EXAMPLES = {
    "init": "modelyard init churn --template realtime",
    "validate": (
        "modelyard validate examples/visual-inspection\n"
        "  modelyard validate examples/fraud-detection --env on-prem --format github"
    ),
    "compile": "modelyard compile examples/fraud-detection --env on-prem --set replicas=4",
    "run": ("modelyard run fraud --env dev --sample\n  modelyard run fraud pipelines.retrain --env dev --once"),
    "status": "modelyard status fraud --env dev",
    "events": "modelyard events fraud --env dev --format json",
    "verify": "modelyard verify examples/fraud-detection\n  modelyard verify examples/fraud-detection --env on-prem",
    "render": (
        "modelyard render examples/fraud-detection --env on-prem\n"
        "  modelyard render examples/fraud-detection --env on-prem --format json | jq .inference.scorer"
    ),
    "explain": (
        "modelyard explain E0203\n  modelyard explain inference.*.replicas\n"
        "  modelyard explain inference.scorer examples/fraud-detection --env on-prem"
    ),
    "graph": (
        "modelyard graph examples/fraud-detection --env on-prem > fraud.mmd\n"
        "  modelyard graph examples/fraud-detection --format html > fraud.html\n"
        "  modelyard graph examples/fraud-detection --view network"
    ),
    "portability": (
        "modelyard portability examples/fraud-detection\n"
        "  modelyard portability examples/fraud-detection --to gcp:europe-west4 --to kubernetes\n"
        "  modelyard portability examples/fraud-detection --min 90 --format json"
    ),
    "cost": (
        "modelyard cost examples/fraud-detection\n"
        "  modelyard cost examples/fraud-detection --usage usage.yaml --format markdown\n"
        "  modelyard cost examples/fraud-detection --against ../main/examples/fraud-detection"
    ),
    "diff": (
        "modelyard diff examples/fraud-detection --against main\n"
        "  modelyard diff before/system.yaml after/system.yaml --env on-prem\n"
        "  modelyard diff . --format markdown --fail-on review > comment.md"
    ),
    "approve": (
        "modelyard approve . --model fraud-xgb --digest sha256:2c26… --key ~/.ssh/id_ed25519 > approval.json\n"
        "  modelyard approve . --model fraud-xgb --version 7 --registry http://localhost:5000 --key ~/.ssh/id_ed25519\n"
        "  modelyard approve . --env prod --model fraud-xgb --digest sha256:2c26… --key ~/.ssh/id_ed25519 --save"
    ),
    "schema": ("modelyard schema > system.schema.json\n  modelyard schema environment > environment.schema.json"),
    "lsp": "modelyard lsp",
    "completion": (
        "source <(modelyard completion bash)\n"
        "  modelyard completion zsh > ~/.zfunc/_modelyard\n"
        "  modelyard completion fish > ~/.config/fish/completions/modelyard.fish"
    ),
}


def _examples(command: str) -> str:
    examples = _EXAMPLES[command]
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
    top = argparse.ArgumentParser(prog="modelyard", description=_ABOUT, epilog=_FIRST_STEPS, formatter_class=_formatter)
    top.add_argument("--version", action="version", version=f"modelyard {__version__}")
    top.set_defaults(debug=False)
    # without `prog`, argparse would format the usage and measure the terminal
    subparsers = top.add_subparsers(prog="modelyard", dest="command", metavar="command", required=True)
    for command in commands:
        entry = subparsers.add_parser(
            command,
            help=_SUMMARIES[command],
            description=f"{_SUMMARIES[command][:1].upper()}{_SUMMARIES[command][1:]}.\n\n{_DETAILS[command]}",
            epilog=f"{_examples(command)}\n\n{_EXIT_CODES}",
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


def _diff(entry: argparse.ArgumentParser) -> None:
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
        "--format", choices=("text", "markdown", "json"), default="text", help="output format (default: text)"
    )
    entry.add_argument(
        "--level",
        choices=("danger", "review", "note", "quiet"),
        default="note",
        help="the lowest level that is shown (default: note)",
    )
    entry.add_argument(
        "--fail-on",
        choices=("danger", "review", "never"),
        default="danger",
        help="the lowest level at which the exit code is 1 (default: danger)",
    )
    _colour(entry)


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
    "run": _run,
    "status": _status,
    "events": _status,
    "verify": _verify,
    "render": _render,
    "explain": _explain,
    "graph": _graph,
    "portability": _portability,
    "cost": _cost,
    "diff": _diff,
    "approve": _approve,
    "schema": _schema,
    "completion": _completion,
    "lsp": _lsp,
}
