"""`modelyard diff`: what a change of a spec means, for whoever reviews it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping

from modelyard.cli.console import report, say, wants_colour
from modelyard.cli.git import GitError, Revision, default_revision, merge_base
from modelyard.cli.inputs import SPEC_NAMES, environment_names, gather, names_of_tables
from modelyard.diagnostics import Diagnostic, Severity, has_errors
from modelyard.inputs import BASE_FOLDER, LOCK_NAME, Given, Inputs
from modelyard.pipeline import Outcome, opened, understand
from modelyard.records import record, replace
from modelyard.review.comparing import Review, compared, introduced
from modelyard.review.findings import Level
from modelyard.review.pins import Locks
from modelyard.sites.files import refused_name
from modelyard_targets import TARGETS

_LEVELS = {level.word: level for level in Level}
_OF_DIAGNOSTICS = frozenset({"json", "sarif", "github"})
"""The formats that both diagnostics and reviews have."""


def run(arguments: argparse.Namespace) -> int:
    """Print what changes. Returns 1 if a finding reaches `--fail-on`, or if a version cannot be judged."""
    compared_versions = compare(arguments)
    if compared_versions is None:
        return 1
    _print(compared_versions, arguments)
    return exit_code(compared_versions.review, arguments.fail_on)


@record
class Comparison:
    """A review, with what it compares: the outcomes of both versions by environment, and the spec's path now."""

    review: Review
    before: Mapping[str, Outcome]
    after: Mapping[str, Outcome]
    path: str


def compare(arguments: argparse.Namespace) -> Comparison | None:
    """Review the change that the arguments name, or print why that is impossible."""
    if arguments.new is not None and arguments.against is not None:
        say("error: --against compares with a revision, and NEW with a file; use one of them")
        return None
    new = arguments.spec if arguments.new is None else arguments.new
    after, problems = _gathered(arguments, new)
    if after is None or problems:
        _refused(arguments, problems)
        return None
    try:
        before, problems = _before(arguments, after)
    except GitError as problem:
        say(f"error: git: {problem}")
        return None
    if problems:
        _refused(arguments, problems)
        return None
    return _comparison(before, after, arguments.env)


def exit_code(review: Review, fail_on: str) -> int:
    """Return 1 if a finding reaches a level, or if a version cannot be judged."""
    limit = {"danger": Level.DANGER, "review": Level.REVIEW}.get(fail_on)
    return int(bool(review.unjudged) or (limit is not None and bool(review.findings) and review.worst >= limit))


@record
class Version:
    """One version of a spec: its inputs, and its lock."""

    inputs: Inputs
    lock: bytes = b""


def _refused(arguments: argparse.Namespace, problems: Iterable[Diagnostic]) -> None:
    form = arguments.format if arguments.format in _OF_DIAGNOSTICS else "text"
    report(tuple(problems), (), form, arguments.color)


def _gathered(arguments: argparse.Namespace, spec: str) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Read a version from disk."""
    from modelyard.cli.locking import read_lock

    inputs, problems = gather(argparse.Namespace(spec=spec, env=arguments.env, set=arguments.set), every=True)
    return (None if inputs is None else Version(inputs, read_lock(inputs))), problems


def _before(arguments: argparse.Namespace, after: Version) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Read the version to compare with: the first path, or the revision. A spec that is new there has no version."""
    if arguments.new is not None:
        return _gathered(arguments, arguments.spec)
    return _committed(arguments.against, after), ()


def _committed(name: str | None, after: Version) -> Version | None:
    """Return the version at the merge base of HEAD and a revision, or None if there is no spec yet."""
    path = after.inputs.spec.path
    folder = os.path.dirname(path) or "."
    revision = merge_base(folder, default_revision(folder) if name is None else name)
    label = (name or revision.name).removeprefix("refs/remotes/").removeprefix("refs/heads/")

    def given(file: str, content: bytes) -> Given:
        return Given(f"{label}:{os.path.normpath(os.path.join(folder, file))}", content)

    own = os.path.basename(path)
    specs = {file: content for candidate in (own, *SPEC_NAMES) for file, content in revision.files(candidate).items()}
    if not specs:
        return None
    file, content = next(iter(specs.items()))
    overlays = {
        os.path.splitext(os.path.basename(one))[0]: given(one, text)
        for one, text in revision.files("environments").items()
        if os.path.splitext(one)[1] == ".yaml" and os.path.dirname(one) == "environments"
    }
    approvals = sorted((one, text) for one, text in revision.files("approvals").items() if one.endswith(".json"))
    inputs = replace(
        after.inputs,
        spec=given(file, content),
        beside=overlays,
        overlay=overlays.get(after.inputs.environment or ""),
        approvals=tuple(given(one, text) for one, text in approvals),
        tables=_tables((given(file, content), *overlays.values()), revision, given),
    )
    return Version(inputs, revision.files(LOCK_NAME).get(LOCK_NAME, b""))


def _tables(specs: Iterable[Given], revision: Revision, given: Callable[[str, bytes], Given]) -> dict[str, Given | str]:
    """Return the tables that specs named at a revision."""
    tables: dict[str, Given | str] = {}
    for name in names_of_tables(specs):
        refused = refused_name(name)
        content = None if refused else revision.files(name).get(name)
        tables[name] = (refused or "there is no such file") if content is None else given(name, content)
    return tables


def _comparison(before: Version | None, after: Version, environment: str | None) -> Comparison:
    new = _outcomes(after.inputs, environment)
    old = {} if before is None else _outcomes(before.inputs, environment)
    if _is_left_out(new) or _is_left_out(old):
        new.pop(BASE_FOLDER, None)
        old.pop(BASE_FOLDER, None)
    review = introduced(new) if before is None else compared(old, new, TARGETS, Locks(before.lock, after.lock))
    return Comparison(review, old, new, after.inputs.spec.path)


def _outcomes(inputs: Inputs, environment: str | None) -> dict[str, Outcome]:
    """Compile the chosen environment, or the base and every environment."""
    if environment is not None:
        return {environment: understand(inputs, TARGETS)}
    spec = opened(inputs)
    outcomes = {BASE_FOLDER: understand(inputs, TARGETS, spec)}
    for name in environment_names(inputs, spec.document):
        picked = replace(inputs, environment=name, overlay=inputs.beside.get(name))
        outcomes[name] = understand(picked, TARGETS, spec)
    return outcomes


def _is_left_out(outcomes: Mapping[str, Outcome]) -> bool:
    """Return whether the base only lacks what every environment adds."""
    base = outcomes.get(BASE_FOLDER)
    errors = [] if base is None else [one for one in base.diagnostics if one.severity is Severity.ERROR]
    return len(outcomes) > 1 and bool(errors) and all(one.lacks for one in errors)


def _print(comparison: Comparison, arguments: argparse.Namespace) -> None:
    review, lowest = comparison.review, _LEVELS[arguments.level]
    if arguments.format != "text":
        sys.stdout.write(_formatted(comparison, arguments.format, lowest))
        return
    from modelyard.printing.review_text import review_text

    sys.stdout.write(review_text(review, lowest, wants_colour(sys.stdout, arguments.color)))
    show_errors(review)


def _formatted(comparison: Comparison, form: str, lowest: Level) -> str:
    """Return a review in a format other than text. Each has a module, of which a run imports one."""
    review = comparison.review
    if form == "json":
        from modelyard.printing.review_json import review_json

        return review_json(review, lowest)
    if form == "markdown":
        from modelyard.printing.review_markdown import review_markdown

        return review_markdown(review, lowest)
    if form == "html":
        from modelyard.printing.review_html import review_html

        return review_html(review, lowest)
    if form == "sarif":
        from modelyard.printing.review_sarif import review_sarif

        return review_sarif(review, lowest, comparison.path)
    from modelyard.printing.review_github import review_github

    return review_github(review, lowest)


def show_errors(review: Review) -> None:
    """Print the errors because of which a version cannot be judged, if any."""
    problems = tuple(dict.fromkeys(one for each in review.unjudged for one in each.diagnostics))
    if has_errors(problems):
        report(problems, (), "text", "never")
        say("fix these errors, or compare versions that compile")
