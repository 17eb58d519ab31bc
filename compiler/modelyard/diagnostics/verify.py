"""Diagnostics of `modelyard verify` about the output folder and lock (E071), which have no location in a spec."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span

_RECOMPILE = "find out who changed it, then run `modelyard compile --force`, which keeps this version as `.edited`"


def _error(code: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, None, hint)


def differs(path: str, line: int) -> Diagnostic:
    """A file in the output folder differs from the compiled spec.

    It was edited after compilation, or compiled from another spec or by another version of modelyard. `line` is the
    first line that differs.

    Wrong: `allowPrivilegeEscalation: true` written into `manifests/model-scorer.yaml`, and its hash in
    `.modelyard.json` changed to match.

    Right: a reviewed change to the spec, then `modelyard compile`.
    """
    return _error("E0710", f"'{path}' differs from the compiled spec, starting at line {line}", _RECOMPILE)


def missing(path: str) -> Diagnostic:
    """A compiled file is missing from the output folder.

    Wrong: `manifests/namespace.yaml`, with its network policies, deleted from a committed `build/`.

    Right: `modelyard compile`, which restores it.
    """
    return _error("E0711", f"'{path}' is missing", "restore it with `modelyard compile --force`")


def unexpected(path: str, copy_of: str = "") -> Diagnostic:
    """The output folder contains a file that the spec does not compile to.

    A file next to a program can run as part of it: Python imports a `yaml.py` next to `__main__.py` instead of the
    library with that name. Therefore, `verify` rejects every file that it cannot derive from the spec.

    A copy that ends in `.edited` is a file that `modelyard compile --force` overwrote.

    Wrong: notes, or a script of your own, in `build/prod/main/workloads/`.

    Right: the same file outside `build/`.
    """
    if copy_of:
        message = f"'{path}' is the version of '{copy_of}' that `modelyard compile --force` overwrote"
        return _error("E0712", message, "move the edits you need to the spec, then delete the copy")
    return _error("E0712", f"'{path}' is not part of the compiled spec", "move it out of the output folder")


def lock_differs(path: str, environment: str, difference: str) -> Diagnostic:
    """`modelyard.lock` does not match the spec, because it is outdated or was edited.

    Wrong: a changed spec committed with the lock file of an earlier compile.

    Right: `modelyard compile --force` for that environment, and the new lock file committed with the spec.
    """
    message = f"'{path}' does not match the spec in environment {quote(environment)}: {difference}"
    return _error(
        "E0713", message, "run `modelyard compile --force` for that environment, and commit the lock file with the spec"
    )


def lock_unreadable(path: str, reason: str) -> Diagnostic:
    """`modelyard.lock` exists but cannot be read, usually because a merge left conflict markers in it.

    modelyard does not recreate it, because it also lists resources that were removed from the spec but not destroyed
    yet.

    Wrong: a lock file with `<<<<<<<` in it, or one written by a newer modelyard.

    Right: the lock file from either side, then `modelyard compile` for each environment.
    """
    hint = "restore the lock file from one side of the merge or from the last commit, and compile again"
    return _error("E0718", f"'{path}' cannot be read: {reason}", hint)


def change_not_approved(fingerprint: str, approved: str) -> Diagnostic:
    """The change's hash is not the one given with `--approved`, so nothing is written.

    The hash covers every finding of `modelyard diff`, and the values of both versions in every environment. Since the
    approval, someone has changed the spec or the version that it is compared with.

    Wrong: `modelyard compile --against main --approved FINGERPRINT` after another commit.

    Right: the hash that `modelyard diff --against main --fingerprint` prints, once it has been reviewed.
    """
    hint = "review it again with `modelyard diff`, and approve the new hash"
    return _error("E0719", f"the change has the hash {fingerprint}, not the approved {quote(approved[:80])}", hint)


def change_not_judged(reason: str, hint: str = "") -> Diagnostic:
    """The change cannot be compared with the version that `--against` names, so nothing is written.

    A name is always read as a revision and never as a path, because a change can add a folder named like a branch. A
    path begins with `./`, `../` or `/`.

    Wrong: `modelyard compile --against main` in a checkout without the branch `main`.

    Right: a checkout with the history of both branches, or the path of a file or folder with the old version, such as
    `--against ./old`.
    """
    return _error("E0720", f"the change cannot be judged: {reason}", hint)


def nothing_compiled(path: str) -> Diagnostic:
    """There is nothing to verify, because neither `modelyard.lock` nor the output folder contains an environment.

    Wrong: `modelyard verify` before the first `modelyard compile`.

    Right: `modelyard compile`, then `modelyard verify`.
    """
    return _error("E0714", f"nothing to verify in '{path}'", "run `modelyard compile` first")


def not_verified(path: str) -> Diagnostic:
    """A virtual environment or compiled Python modules in the output folder were not verified.

    The program runs their code, but the spec does not generate them, so modelyard cannot check them. A fresh checkout
    contains neither.

    Wrong: a `venv/` committed with `build/`.

    Right: `venv/` and `__pycache__/` in `.gitignore`, and `modelyard verify` in a fresh checkout.
    """
    return Diagnostic("W0715", Severity.WARNING, f"'{path}' was not verified", None, "verify in a fresh checkout")


def settings_added(path: str, keys: Iterable[str]) -> Diagnostic:
    """A stack's settings contain values that were set with `pulumi config` and not by the spec.

    Such values are allowed, but they change what `pulumi up` does, so a reviewer should know about them.

    Wrong: `protect: false` left behind in `Pulumi.prod.yaml` after a test.

    Right: only settings that the team wants to keep. `pulumi config rm` removes the others.
    """
    listed = ", ".join(quote(key) for key in keys)
    return Diagnostic(
        "W0716",
        Severity.WARNING,
        f"'{path}' contains settings that are not in the spec: {listed}",
        None,
        "review these values together with the spec",
    )


def false_pin(path: str, environment: str, name: str, pinned: str, right: str) -> Diagnostic:
    """`modelyard.lock` lists a different version of a chart or image from the one that the spec compiles to.

    Deployments do not read versions from the lock file, but reviewers rely on them.

    Wrong: `ray: 9.9.9-evil` written into the lock file, with the hash of the inputs unchanged.

    Right: `modelyard compile`, which writes the actual versions.
    """
    message = f"'{path}' pins {quote(name)} to {quote(pinned)} in environment {quote(environment)}"
    return _error(
        "E0717", f"{message}, but the spec compiles to {quote(right)}", "compile again and commit the lock file"
    )


def acknowledgement_invalid(place: Span, reason: str) -> Diagnostic:
    """An entry in `reviews/acknowledged.yaml` is not valid, so `modelyard acknowledge` adds nothing to the file.

    The entry accepts nothing, and `modelyard diff` reports it as a danger (R923). A second entry would not change that.

    Wrong: `{code: R211, by: ada@acme.example, until: soon}` in the file.

    Right: entries as `modelyard acknowledge` writes them, with all fields, a whole fingerprint and a date.
    """
    hint = "correct the entry, or remove it and accept its finding again; the file is unchanged"
    return Diagnostic("E0721", Severity.ERROR, f"an acknowledgement is not valid: {reason}", place, hint)
