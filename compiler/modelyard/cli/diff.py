"""`modelyard diff`: what a change of a spec means, for whoever reviews it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from modelyard.cli.acknowledged import with_acknowledgements
from modelyard.cli.console import report, say, wants_colour
from modelyard.cli.git import GitError
from modelyard.cli.versions import Version, committed, on_disk, reviewed
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.review.comparing import Review
from modelyard.review.findings import Level
from modelyard.review.fingerprint import change_fingerprint

_LEVELS = {level.word: level for level in Level}


def run(arguments: argparse.Namespace) -> int:
    """Print what changes. Returns 1 if a finding reaches `--fail-on`, or if a version cannot be judged."""
    if arguments.new is not None and arguments.against is not None:
        say("error: --against compares with a revision, and NEW with a file; use one of them")
        return 1
    new = arguments.spec if arguments.new is None else arguments.new
    after, problems = on_disk(new, arguments)
    if after is None or problems:
        return _refused(arguments, problems)
    try:
        before, problems = _before(arguments, after)
    except GitError as problem:
        say(f"error: git: {problem}")
        return 1
    if problems:
        return _refused(arguments, problems)
    change = reviewed(before, after, arguments.env)
    review = with_acknowledgements(change, after)
    if arguments.fingerprint and not review.unjudged:
        sys.stdout.write(f"{change_fingerprint(change.review, change.before, change.after)}\n")
    else:
        _print(review, arguments)
    limit = {"danger": Level.DANGER, "review": Level.REVIEW}.get(arguments.fail_on)
    return int(bool(review.unjudged) or (limit is not None and bool(review.findings) and review.worst >= limit))


def _refused(arguments: argparse.Namespace, problems: Iterable[Diagnostic]) -> int:
    form = arguments.format if arguments.format == "json" else "text"
    report(tuple(problems), (), form, arguments.color)
    return 1


def _before(arguments: argparse.Namespace, after: Version) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Read the version to compare with: the first path, or the revision. A spec that is new there has no version."""
    if arguments.new is not None:
        return on_disk(arguments.spec, arguments)
    return committed(arguments.against, after), ()


def _print(review: Review, arguments: argparse.Namespace) -> None:
    lowest = _LEVELS[arguments.level]
    if arguments.format == "json":
        from modelyard.printing.review_json import review_json

        sys.stdout.write(review_json(review, lowest))
    elif arguments.format == "markdown":
        from modelyard.printing.review_markdown import review_markdown

        sys.stdout.write(review_markdown(review, lowest))
    else:
        from modelyard.printing.review_text import review_text

        sys.stdout.write(review_text(review, lowest, wants_colour(sys.stdout, arguments.color)))
        if review.unjudged and has_errors(tuple(one for each in review.unjudged for one in each.diagnostics)):
            _show_errors(review)


def _show_errors(review: Review) -> None:
    problems = tuple(dict.fromkeys(one for each in review.unjudged for one in each.diagnostics))
    report(problems, (), "text", "never")
    say("fix these errors, or compare versions that compile")
