"""Read two versions of a spec, one of which may be in a commit, and review the changes between them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import Final

from modelyard.cli.git import GitError, Revision, default_revision, merge_base
from modelyard.cli.inputs import APPROVALS, SPEC_NAMES, environment_names, gather, names_of_tables
from modelyard.cli.locking import read_lock
from modelyard.diagnostics import Diagnostic, Severity
from modelyard.diagnostics.verify import change_not_judged
from modelyard.inputs import BASE_FOLDER, LOCK_NAME, InputFile, Inputs
from modelyard.pipeline import Outcome, opened, understand
from modelyard.records import record, replace
from modelyard.review.accepting import agreement
from modelyard.review.comparing import Outcomes, Review, compared, introduced
from modelyard.review.cost_findings import UsageOf, assumed
from modelyard.review.pins import Locks
from modelyard.review.previews import Preview
from modelyard_targets import TARGETS


@record
class Version:
    """One version of a spec: its inputs, and its lock."""

    inputs: Inputs
    lock: bytes = b""


def on_disk(spec: str, arguments: argparse.Namespace) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Read a version and all its environments from disk."""
    inputs, problems = gather(argparse.Namespace(spec=spec, env=arguments.env, set=arguments.set), every=True)
    return (None if inputs is None else Version(inputs, read_lock(inputs))), problems


def committed(name: str | None, after: Version) -> Version | None:
    """Return the version at the merge base of HEAD and a revision, or None if the spec didn't exist there.

    The revision defaults to the default branch. Raises GitError.
    """
    path = after.inputs.spec.path
    folder = os.path.dirname(path) or "."
    revision = merge_base(folder, default_revision(folder) if name is None else name)
    label = (name or revision.name).removeprefix("refs/remotes/").removeprefix("refs/heads/")

    def input_file(file: str, content: bytes) -> InputFile:
        return InputFile(f"{label}:{os.path.normpath(os.path.join(folder, file))}", content)

    own = os.path.basename(path)
    matches = (item for candidate in (own, *SPEC_NAMES) for item in revision.files(candidate).items())
    file, content = next(matches, ("", b""))
    if not file:
        return None
    spec = input_file(file, content)
    overlays = {
        os.path.splitext(os.path.basename(file_name))[0]: input_file(file_name, text)
        for file_name, text in revision.files("environments").items()
        if os.path.splitext(file_name)[1] == ".yaml" and os.path.dirname(file_name) == "environments"
    }
    approvals = sorted(
        (file_name, text) for file_name, text in revision.files(APPROVALS).items() if file_name.endswith(".json")
    )
    inputs = replace(
        after.inputs,
        spec=spec,
        beside=overlays,
        overlay=overlays.get(after.inputs.environment or ""),
        approvals=tuple(input_file(file_name, text) for file_name, text in approvals),
        tables={name: _table(revision, name, input_file) for name in names_of_tables((spec, *overlays.values()))},
    )
    return Version(inputs, revision.files(LOCK_NAME).get(LOCK_NAME, b""))


def _table(revision: Revision, name: str, input_file: Callable[[str, bytes], InputFile]) -> InputFile | str:
    """Return a CSV file from a revision, or the reason why there is none."""
    from modelyard.sites.files import MISSING, refused_name

    if refused := refused_name(name):
        return refused
    content = revision.files(name).get(name)
    return MISSING if content is None else input_file(name, content)


def before_of(
    name: str | None, after: Version, arguments: argparse.Namespace
) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Return the version that `--against` names: the merge base with a revision, or a file or folder.

    A name is read as a path only if it can't be a revision. Otherwise, a change could add a folder named like a branch,
    which would be read wherever git doesn't know that branch. Raises GitError.
    """
    if name is not None and (os.path.isabs(name) or name in _HERE or name.startswith(("./", "../"))):
        return on_disk(name, arguments)
    try:
        return committed(name, after), ()
    except GitError as problem:
        if name is not None and os.path.exists(name):
            raise GitError(str(problem), f"`--against` takes a revision; for the path, write './{name}'") from problem
        raise


_HERE: Final = (".", "..")


def not_judged(problem: GitError) -> Diagnostic:
    """Return the error to report if git cannot provide the old version."""
    return change_not_judged(f"git: {problem}", problem.hint)


@record
class Compared:
    """The review of a change, and the outcomes of both versions for each environment."""

    review: Review
    before: Outcomes
    after: Outcomes
    path: str  # the spec's path in the new version


def reviewed(
    before: Version | None,
    after: Version,
    environment: str | None,
    previews: tuple[Preview, ...] = (),
    usage_of: UsageOf = assumed,
) -> Compared:
    """Compare two versions, including stack previews, in one environment or in the base and all environments."""
    spec = opened(after.inputs)
    new = outcomes(after.inputs, environment, spec)
    old = {} if before is None else outcomes(before.inputs, environment, opened(before.inputs, spec.document), new)
    for side in (new, old):  # a base that compiles in only one version is new or removed
        if _is_left_out(side):
            del side[BASE_FOLDER]
    if before is None:
        review = introduced(new, TARGETS, usage_of)
    else:
        review = compared(old, new, TARGETS, Locks(before.lock, after.lock), previews, usage_of)
    review = replace(review, agreement=agreement(review, old, new))
    return Compared(review, old, new, after.inputs.spec.path)


def outcomes(
    inputs: Inputs, environment: str | None, spec: Outcome, others: Outcomes | None = None
) -> dict[str, Outcome]:
    """Compile the chosen environment, or the base and every environment. `spec` is the result of `opened`.

    `others` holds the outcomes of another version, which these outcomes will be compared with.
    """

    def compiled(name: str, inputs: Inputs) -> Outcome:
        other = (others or {}).get(name)
        return understand(inputs, TARGETS, spec, None if other is None else other.system)

    if environment is not None:
        return {environment: compiled(environment, inputs)}
    outcomes = {BASE_FOLDER: compiled(BASE_FOLDER, inputs)}
    for name in environment_names(inputs, spec.document):
        outcomes[name] = compiled(name, replace(inputs, environment=name, overlay=inputs.beside.get(name)))
    return outcomes


def _is_left_out(outcomes: Mapping[str, Outcome]) -> bool:
    """Return whether the base's only errors are missing fields that its environments may add."""
    base = outcomes.get(BASE_FOLDER)
    errors = (
        [] if base is None else [diagnostic for diagnostic in base.diagnostics if diagnostic.severity is Severity.ERROR]
    )
    return len(outcomes) > 1 and bool(errors) and all(diagnostic.lacks for diagnostic in errors)
