"""`modelyard diff`: show reviewers what a change to a spec means."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelyard.cli.acknowledged import with_acknowledgements
from modelyard.cli.console import report, say, wants_colour
from modelyard.cli.git import GitError
from modelyard.cli.inputs import other_file
from modelyard.cli.versions import Compared, Version, committed, not_judged, on_disk, reviewed
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.inputs import InputFile
from modelyard.records import record
from modelyard.review.comparing import Review
from modelyard.review.cost_findings import assumed
from modelyard.review.findings import Level
from modelyard.review.fingerprint import change_fingerprint
from modelyard.review.previews import Preview, read_previews
from modelyard_targets import TARGETS

if TYPE_CHECKING:
    from modelyard.cli.usage_input import UsageInput

_LEVELS = {level.word: level for level in Level}
_OF_DIAGNOSTICS = frozenset({"json", "sarif", "github"})
"""The formats that are available for both diagnostics and reviews."""


def run(arguments: argparse.Namespace) -> int:
    """Print the changes. Returns 1 if a finding reaches `--fail-on` or a version cannot be judged."""
    comparison = compare(arguments)
    if comparison is None:
        return 1
    if arguments.fingerprint and not comparison.review.unjudged:
        sys.stdout.write(f"{comparison.fingerprint}\n")
    else:
        _print(comparison, arguments)
    return exit_code(comparison.review, arguments.fail_on)


@record
class Comparison:
    """A change, its review (including acknowledgements stored next to the new version), and the system's usage."""

    change: Compared
    review: Review
    used: UsageInput | None = None

    @property
    def fingerprint(self) -> str:
        """The hash of the whole change. Acknowledgements do not affect it."""
        return change_fingerprint(self.change.review, self.change.before, self.change.after)


def compare(arguments: argparse.Namespace) -> Comparison | None:
    """Review the change described by the arguments, or print why it can't be reviewed."""
    if arguments.new is not None and arguments.against is not None:
        say("error: --against compares with a revision, and NEW with a file; use one of them")
        return None
    new = arguments.spec if arguments.new is None else arguments.new
    after, problems = on_disk(new, arguments)
    if after is None or problems:
        _refuse(arguments, problems)
        return None
    try:
        before, problems = _before(arguments, after)
    except GitError as problem:
        _refuse(arguments, (not_judged(problem),))
        return None
    if problems:
        _refuse(arguments, problems)
        return None
    previews, problems = _previews(arguments.preview)
    usage, wrong = _used(arguments)
    change = reviewed(before, after, arguments.env, previews, assumed if usage is None else usage.usage_of)
    problems += (*_foreign(previews, change), *wrong, *(usage.misfits(change) if usage is not None else ()))
    if problems:
        _refuse(arguments, problems)
        return None
    return Comparison(change, with_acknowledgements(change, after), usage)


def _used(arguments: argparse.Namespace) -> tuple[UsageInput | None, tuple[Diagnostic, ...]]:
    """Read the usage file, if any. The import is local because most runs don't need it."""
    if arguments.usage is None:
        return None, ()
    from modelyard.cli.usage_input import read_used

    return read_used(arguments)


def exit_code(review: Review, fail_on: str) -> int:
    """Return 1 if a finding reaches the given level or a version cannot be judged, otherwise 0."""
    limit = {"danger": Level.DANGER, "review": Level.REVIEW}.get(fail_on)
    return int(bool(review.unjudged) or (limit is not None and bool(review.findings) and review.worst >= limit))


def _refuse(arguments: argparse.Namespace, problems: Iterable[Diagnostic]) -> None:
    form = arguments.format if arguments.format in _OF_DIAGNOSTICS else "text"
    report(tuple(problems), (), form, arguments.color)


def _before(arguments: argparse.Namespace, after: Version) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Read the old version from the first path or a git revision. Returns None for it if no spec existed there."""
    if arguments.new is not None:
        return on_disk(arguments.spec, arguments)
    return committed(arguments.against, after), ()


def _previews(paths: Iterable[str]) -> tuple[tuple[Preview, ...], tuple[Diagnostic, ...]]:
    """Read the previews that the arguments name."""
    files: list[InputFile] = []
    wrong: tuple[Diagnostic, ...] = ()
    for path in paths:
        file, problems = other_file(path)
        files += [file] if file is not None else []
        wrong += problems
    previews, problems = read_previews(files)
    return previews, (*wrong, *problems)


def _foreign(previews: tuple[Preview, ...], change: Compared) -> tuple[Diagnostic, ...]:
    """Report previews of stacks that do not exist in either version."""
    if not previews:
        return ()
    from modelyard.review.preview_findings import foreign

    return tuple(foreign(previews, (*change.before.values(), *change.after.values()), TARGETS))


def _print(comparison: Comparison, arguments: argparse.Namespace) -> None:
    review, lowest = comparison.review, _LEVELS[arguments.level]
    if arguments.format != "text":
        sys.stdout.write(_formatted(comparison, arguments.format, lowest))
        return
    from modelyard.printing.review_text import review_text

    sys.stdout.write(review_text(review, lowest, wants_colour(sys.stdout, arguments.color)))
    show_errors(review)


def _formatted(comparison: Comparison, form: str, lowest: Level) -> str:
    """Format a review as anything but text, importing only the module for that format."""
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

        return review_sarif(review, lowest, comparison.change.path)
    from modelyard.printing.review_github import review_github

    return review_github(review, lowest)


def show_errors(review: Review) -> None:
    """Print any errors that prevent a version from being judged."""
    problems = tuple(dict.fromkeys(diagnostic for each in review.unjudged for diagnostic in each.diagnostics))
    if has_errors(problems):
        report(problems, (), "text", "never")
        say("fix these errors, or compare versions that compile")
