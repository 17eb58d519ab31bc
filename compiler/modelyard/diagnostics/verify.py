"""Diagnostics of `modelyard verify` about the output folder and the lock: E071. They have no place in a spec."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote

_RECOMPILE = "find out who changed it; `modelyard compile --force` rewrites it and keeps this version as `.edited`"


def _error(code: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, None, hint)


def differs(path: str, line: int) -> Diagnostic:
    """A file in the output folder differs from what the spec compiles to.

    It was edited after it was compiled, or compiled from another spec or by another version of modelyard. `line` is the
    first line that differs.

    Wrong: `allowPrivilegeEscalation: true` written into `manifests/model-scorer.yaml`, with its hash in
    `.modelyard.json` changed to match.

    Right: the change made in the spec, where it is reviewed; then `modelyard compile`.
    """
    return _error("E0710", f"'{path}' differs from what the spec compiles to, from line {line} on", _RECOMPILE)


def missing(path: str) -> Diagnostic:
    """The spec compiles to a file that is not in the output folder.

    Wrong: `manifests/namespace.yaml`, with its network policies, deleted from a committed `build/`.

    Right: `modelyard compile`, which writes it again.
    """
    return _error("E0711", f"'{path}' is missing", "`modelyard compile --force` writes it again")


def unexpected(path: str, copy_of: str = "") -> Diagnostic:
    """A file lies in the output folder that the spec does not compile to.

    A file next to a program can run with it: Python imports a `yaml.py` next to `__main__.py` before the library of
    that name. So `verify` accepts no file that it cannot derive from the spec.

    A copy that ends in `.edited` is a file that `modelyard compile --force` overwrote.

    Wrong: notes, or a script of your own, in `build/prod/main/workloads/`.

    Right: the same file outside of `build/`.
    """
    if copy_of:
        message = f"'{path}' is the version of '{copy_of}' that `modelyard compile --force` overwrote"
        return _error("E0712", message, "carry over to the spec what you need from it, then delete it")
    return _error("E0712", f"'{path}' is not part of what the spec compiles to", "move it out of the output folder")


def lock_differs(path: str, environment: str, difference: str) -> Diagnostic:
    """`modelyard.lock` is not the lock that this spec compiles to: it is outdated, or was edited.

    Wrong: a changed spec committed with the lock of the last compile.

    Right: `modelyard compile --force` for that environment, and the new lock committed with the spec.
    """
    message = f"'{path}' does not match the spec in environment {quote(environment)}: {difference}"
    return _error(
        "E0713", message, "run `modelyard compile --force` for that environment and commit the lock with the spec"
    )


def lock_unreadable(path: str, reason: str) -> Diagnostic:
    """`modelyard.lock` exists but cannot be read, most often because a merge left its conflict markers in it.

    It is not recreated, because it also lists what was removed from the spec and still has to be destroyed.

    Wrong: a lock with `<<<<<<<` in it, or one that a newer modelyard wrote.

    Right: the lock from either side, then `modelyard compile` for each environment.
    """
    hint = "take the lock from one side of the merge, or from the last commit, and compile again"
    return _error("E0718", f"'{path}' cannot be read: {reason}", hint)


def nothing_compiled(path: str) -> Diagnostic:
    """There is nothing to verify: `modelyard.lock` lists no environment, and the output folder has none.

    Wrong: `modelyard verify` before the first `modelyard compile`.

    Right: `modelyard compile`, then `modelyard verify`.
    """
    return _error("E0714", f"there is nothing to verify in '{path}'", "run `modelyard compile` first")


def not_verified(path: str) -> Diagnostic:
    """A virtual environment or compiled Python modules in the output folder were not verified.

    The program runs their code, but they do not come from the spec, so there is nothing to compare them with. A fresh
    checkout has neither.

    Wrong: a `venv/` committed with `build/`.

    Right: `venv/` and `__pycache__/` in `.gitignore`, and `modelyard verify` in a fresh checkout.
    """
    return Diagnostic("W0715", Severity.WARNING, f"'{path}' was not verified", None, "verify in a fresh checkout")


def settings_added(path: str, keys: Iterable[str]) -> Diagnostic:
    """A stack's settings hold more than the spec compiles to: configuration set with `pulumi config`.

    That is the place for such configuration, but it changes what `pulumi up` does, so a reviewer should know about it.

    Wrong: `protect: false` left behind in `Pulumi.prod.yaml` after a test.

    Right: only the settings that the team intends to have; `pulumi config rm` removes the others.
    """
    listed = ", ".join(quote(key) for key in keys)
    return Diagnostic("W0716", Severity.WARNING, f"'{path}' also sets {listed}", None, "review them with the spec")


def false_pin(path: str, environment: str, name: str, pinned: str, right: str) -> Diagnostic:
    """`modelyard.lock` claims a version of a chart or image that this spec and this modelyard do not compile to.

    Nothing reads versions from the lock, so nobody gets the false version; but reviewers read the lock.

    Wrong: `ray: 9.9.9-evil` written into the lock, with the hash of the inputs left as it was.

    Right: `modelyard compile`, which writes the versions that it emits.
    """
    message = f"'{path}' pins {quote(name)} at {quote(pinned)} in environment {quote(environment)}"
    return _error("E0717", f"{message}; this spec compiles to {quote(right)}", "compile again and commit the lock")
