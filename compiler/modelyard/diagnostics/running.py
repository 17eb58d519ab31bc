"""Diagnostics of `modelyard run`: what prevents a system from running on this machine."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def not_on_this_machine(span: Span, environment: str, local: Sequence[str]) -> Diagnostic:
    """`modelyard run` runs an environment whose only target is this machine.

    Wrong: `modelyard run fraud`, where the spec's target is a cluster.

    Right: `modelyard run fraud --env dev`, where `dev` has `deployment: {mode: local, …}`.
    """
    what = f"environment {quote(environment)}" if environment else "the base of this spec"
    hint = (
        f"add --env {local[0]}"
        if local
        else "run a copy of it with --sample, or add an environment with `mode: local` and one target "
        "with `provider: local`"
    )
    return Diagnostic("E0885", Severity.ERROR, f"{what} does not run on this machine", span, hint)


def no_runtime(tried: str, missing: Sequence[str], install: str) -> Diagnostic:
    """`modelyard run` starts the runtime, which needs Ray, MLflow and the models' libraries.

    The compiler itself needs none of them, so they are an extra.

    Wrong: `pip install modelyard`, and then `modelyard run fraud --env dev`.

    Right: `pip install "modelyard[local]"`, or `modelyard run … --python PATH` with the Python of an environment that
    has the packages in the `requirements.txt` of the compiled folder.
    """
    return Diagnostic(
        "E0886",
        Severity.ERROR,
        f"{tried} cannot run the system: it lacks {', '.join(missing)}",
        None,
        f"{install}, or name another Python with --python",
    )


def not_a_python(path: str, reason: str) -> Diagnostic:
    """The Python interpreter given with `--python` does not start.

    Wrong: `modelyard run fraud --env dev --python venv`

    Right: `modelyard run fraud --env dev --python venv/bin/python`
    """
    return Diagnostic(
        "E0887",
        Severity.ERROR,
        f"{quote(path)} does not start: {reason}",
        None,
        "pass the Python of a virtual environment",
    )


def nothing_ran(folder: str) -> Diagnostic:
    """`modelyard status` and `modelyard events` show what `modelyard run` has done, but it has never run here.

    Wrong: `modelyard status fraud --env dev`, before the first run.

    Right: `modelyard run fraud --env dev`, and then `modelyard status fraud --env dev`.
    """
    return Diagnostic(
        "E0888",
        Severity.ERROR,
        f"nothing has run here: {quote(folder)} does not exist",
        None,
        "start it with `modelyard run`",
    )


def no_such_workload(address: str, known: Sequence[str]) -> Diagnostic:
    """`modelyard run` can be limited to certain workloads, but the spec does not have this one.

    Wrong: `modelyard run fraud pipelines.retrian --env dev`

    Right: `modelyard run fraud pipelines.retrain --env dev`
    """
    return Diagnostic(
        "E0889",
        Severity.ERROR,
        f"there is no workload {quote(address)} on this machine",
        None,
        nearest(address, known, "did you mean {}?") or f"available: {', '.join(known)}",
    )


def nobody_to_ask(folder: str) -> Diagnostic:
    """`modelyard try --ask` sends a row to the endpoints of a running `modelyard try`, but none is running.

    Wrong: `modelyard try --ask`, before the first run or after Ctrl-C.

    Right: `modelyard try`, and `modelyard try --ask` in another terminal while it runs.
    """
    return Diagnostic(
        "E0877",
        Severity.ERROR,
        f"no endpoint is running in {quote(folder)}",
        None,
        f"start one: modelyard try {folder}",
    )
