"""What can be typed, and the help that teaches it."""

from __future__ import annotations

import argparse

from modelyard import __version__

SHELLS = ("bash", "zsh", "fish")

_ABOUT = """One YAML spec for a whole ML system, compiled offline into Pulumi projects with Ray on Kubernetes."""

_FIRST_STEPS = """first steps:
  modelyard init my-system            a spec to start from (see: modelyard init --list)
  modelyard validate my-system        every error, with line and column
  modelyard compile my-system         my-system/build/default/<target>/, ready for `pulumi up`

exit codes: 0 fine, 1 the spec is wrong, 2 modelyard is wrong (please report it), 130 interrupted
"""
_EXIT_CODES = "exit codes: 0 fine, 1 what was given is wrong, 2 modelyard is wrong (please report it), 130 interrupted"

_SUMMARIES = {
    "init": "write a spec to start from",
    "validate": "check a spec and print every error in it",
    "compile": "write the Pulumi projects of a spec",
    "verify": "check that projects and lock are what the spec compiles to",
    "render": "print the spec after overlays and defaults, each value with where it came from",
    "explain": "explain a field, a diagnostic's code, or an address such as inference.scorer",
    "graph": "print the plan: what will exist, where, and what talks to what",
    "approve": "sign that a version of a model may go live",
    "schema": "print the JSON Schema of a spec or of an environment, for editors",
    "completion": "print the script that completes this command line in a shell",
    "lsp": "serve an editor: errors while typing, descriptions and completion",
}

_MORE = {
    "init": (
        "The folder becomes the system's name. Its schema is written beside the spec: an editor with a YAML language\n"
        "server completes and checks by it. A spec that is there already stays as it is."
    ),
    "validate": (
        "All errors are reported in one run, each with its line and what to do; the last line names the checks that\n"
        "wait for them, if any. Warnings do not fail, and wait until the errors are gone.\n"
        "Without --env, the base and every environment are checked, those in files beside the spec too: an error\n"
        "is reported once, with the environments that have it where not all do. What the base lacks and\n"
        "every environment adds is no error. Nothing is written and no connection is opened."
    ),
    "compile": (
        "They come to build/ENVIRONMENT/TARGET/ beside the spec, each with a README.md that says how to apply\n"
        "them, and modelyard.lock is written beside the spec. Nothing is written while there is an error, and\n"
        "nothing is deployed."
    ),
    "verify": (
        "Everything is compiled again in memory and compared with the files in build/ and with modelyard.lock.\n"
        "Nothing in the output folder is trusted, no hash in it either: an edited manifest, an added file and a false\n"
        "version in the lock are errors. Run it in CI where build/ is committed, and before `pulumi up`. Nothing is\n"
        "written."
    ),
    "render": (
        "It goes to standard output, with the line or the default that each value came from as a comment, or as plain\n"
        "YAML or JSON. Diagnostics go to standard error."
    ),
    "explain": (
        "An address is a place in a spec: where it is written, which resources and objects come of it, what they talk\n"
        "to, and why they run on that machine. Fields need no spec; * stands for any name."
    ),
    "graph": "Mermaid is shown by GitHub and GitLab in a code block; dot is for Graphviz, json for programs.",
    "approve": (
        "ssh-keygen signs a statement about the files of one version, by their digest, with a key that the spec lists\n"
        "under governance.approvers. With --registry and --version, the digest is the one that is kept with the\n"
        "version, and the statement is laid beside it; the login is in MLFLOW_TRACKING_USERNAME and\n"
        "MLFLOW_TRACKING_PASSWORD. With --digest alone, the statement is printed. With --save it is written beside\n"
        "the spec, to be committed and reviewed, and counts once what the spec compiles to is applied. Give the --env\n"
        "that the version was trained or imported in: an approval counts in one environment."
    ),
    "schema": (
        "It is JSON Schema, draft 2020-12. `modelyard init` writes that of the spec beside it; that of an environment\n"
        "is for the files in environments/. docs/editor.md describes how to set up an editor."
    ),
    "lsp": (
        "An editor starts it and talks to it by the Language Server Protocol, over standard input and output.\n"
        "It needs an extra: pip install 'modelyard[editor]'. docs/editor.md describes how to set up an editor."
    ),
    "completion": "Source it in the start-up file of the shell, or put it where the shell looks for completions.",
}

_EXAMPLES = {
    "init": "modelyard init churn --template realtime",
    "validate": (
        "modelyard validate examples/visual-inspection\n"
        "  modelyard validate examples/fraud-detection --env on-prem --format github"
    ),
    "compile": "modelyard compile examples/fraud-detection --env on-prem --set replicas=4",
    "verify": "modelyard verify examples/fraud-detection\n  modelyard verify examples/fraud-detection --env on-prem",
    "render": (
        "modelyard render examples/fraud-detection --env on-prem\n"
        "  modelyard render examples/fraud-detection --env on-prem --format json | jq .inference.scorer"
    ),
    "explain": (
        "modelyard explain E0203\n  modelyard explain inference.*.replicas\n"
        "  modelyard explain inference.scorer examples/fraud-detection --env on-prem"
    ),
    "graph": "modelyard graph examples/fraud-detection --env on-prem > plan.mmd",
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


def parser(commands: tuple[str, ...]) -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="modelyard", description=_ABOUT, epilog=_FIRST_STEPS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action="version", version=f"modelyard {__version__}")
    top.set_defaults(debug=False)
    # without `prog`, argparse formats the usage for it, for which it measures the terminal
    found = top.add_subparsers(prog="modelyard", dest="command", metavar="command", required=True)
    for command in commands:
        entry = found.add_parser(
            command,
            help=_SUMMARIES[command],
            description=f"{_SUMMARIES[command][:1].upper()}{_SUMMARIES[command][1:]}.\n\n{_MORE[command]}",
            epilog=f"{_examples(command)}\n\n{_EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
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
        help="how diagnostics are printed (default: text)",
    )
    _colour(entry)


def _colour(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal)"
    )


def _init(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "folder", nargs="?", default=".", metavar="FOLDER", help="where system.yaml is written (default: this folder)"
    )
    entry.add_argument("--template", default="minimal", metavar="NAME", help="which one (default: minimal)")
    entry.add_argument("--list", action="store_true", help="list the templates")


def _validate(entry: argparse.ArgumentParser) -> None:
    _spec(entry, without="the base and every environment")
    _reports(entry)


def _compile(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    _reports(entry)
    entry.add_argument(
        "--out", metavar="FOLDER", help="where the projects are written (default: build beside the spec)"
    )
    entry.add_argument(
        "--force",
        action="store_true",
        help="write every file again, also those that were edited by hand; the edited ones are kept beside",
    )
    entry.add_argument(
        "--forget-removed",
        action="store_true",
        help="drop from modelyard.lock what the spec no longer has: Pulumi has destroyed it",
    )


def _verify(entry: argparse.ArgumentParser) -> None:
    _spec(entry, without="every environment that was compiled")
    _reports(entry)
    entry.add_argument(
        "--out", metavar="FOLDER", help="where the projects were written (default: build beside the spec)"
    )


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
        "what", metavar="WHAT", help="a code (E0203), a field (inference.*.replicas) or an address (inference.scorer)"
    )
    _spec(entry)
    _colour(entry)


def _graph(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument(
        "--format", choices=("mermaid", "dot", "json"), default="mermaid", help="notation (default: mermaid)"
    )
    _colour(entry)


def _approve(entry: argparse.ArgumentParser) -> None:
    _spec(entry)
    entry.add_argument("--model", required=True, metavar="NAME", help="the model, as the spec calls it")
    entry.add_argument(
        "--alias", metavar="NAME", help="the alias that may move (default: the only one that asks for approvals)"
    )
    entry.add_argument("--digest", metavar="sha256:…", help="the digest of the files that are approved")
    entry.add_argument("--version", metavar="NUMBER", help="the version in the registry, by its number")
    entry.add_argument("--registry", metavar="URL", help="the registry that keeps the approval (default: print it)")
    entry.add_argument(
        "--key", required=True, metavar="FILE", help="the SSH key; its public half alone where an agent has the key"
    )
    entry.add_argument(
        "--save", action="store_true", help="write it to approvals/GROUP/ beside the spec, to be committed"
    )
    entry.add_argument("--reason", default="", metavar="TEXT", help="why, kept in the signed statement")


def _schema(entry: argparse.ArgumentParser) -> None:
    entry.add_argument(
        "name",
        nargs="?",
        choices=("system", "environment", "workload"),
        default="system",
        help="of the spec, of a file in environments/, or of the description that a compiled workload reads",
    )


def _lsp(entry: argparse.ArgumentParser) -> None:
    entry.add_argument("--stdio", action="store_true", help="accepted because many editors add it; it is the only way")


def _completion(entry: argparse.ArgumentParser) -> None:
    entry.add_argument("shell", choices=SHELLS, help="the shell")


_ARGUMENTS = {
    "init": _init,
    "validate": _validate,
    "compile": _compile,
    "verify": _verify,
    "render": _render,
    "explain": _explain,
    "graph": _graph,
    "approve": _approve,
    "schema": _schema,
    "completion": _completion,
    "lsp": _lsp,
}
