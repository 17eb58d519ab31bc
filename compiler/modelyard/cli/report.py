"""`modelyard report`: write a review, including cost changes, to a folder in all formats."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from modelyard.cli.console import report, say
from modelyard.cli.cost import estimate_of
from modelyard.cli.diff import Comparison, compare, exit_code, show_errors
from modelyard.cli.usage_input import UsageInput
from modelyard.diagnostics import files as tell
from modelyard.diagnostics import has_errors
from modelyard.disk import OutputFile, write_folder
from modelyard.pipeline import Outcome
from modelyard.printing.costs import Estimate
from modelyard.printing.report_costs import NOTHING, CostChange
from modelyard.review.findings import Level


def run(arguments: argparse.Namespace) -> int:
    """Write the report. Returns 1 if this fails, a finding reaches `--fail-on`, or there is no verdict."""
    if arguments.out == "":  # an empty path would mean the working directory
        report((tell.no_folder(),), (), "text", arguments.color)
        return 1
    comparison = compare(arguments)
    if comparison is None:
        return 1
    folder = Path(arguments.out)
    summary, problems = write_folder(folder, _files(comparison))
    report(problems, (), "text", arguments.color)
    if has_errors(problems):
        return 1
    _say_summary(comparison, folder, summary.total)
    return exit_code(comparison.review, arguments.fail_on)


def _say_summary(comparison: Comparison, folder: Path, files: int) -> None:
    from modelyard.printing.redact import redacted
    from modelyard.printing.review_words import headline

    show_errors(comparison.review)
    say(redacted(headline(comparison.review)))
    say(f"{folder}: {files} files; open {folder / 'report.html'}")


def _files(comparison: Comparison) -> Iterator[OutputFile]:
    """Yield the report's files."""
    from modelyard.printing.code_quality import code_quality
    from modelyard.printing.comment import comment
    from modelyard.printing.report_costs import costs_data
    from modelyard.printing.review_html import review_html
    from modelyard.printing.review_json import review_json
    from modelyard.printing.review_sarif import review_sarif
    from modelyard.writers.json_text import json_text

    review, path, costs = comparison.review, comparison.change.path, tuple(_costs(comparison))
    yield _file("comment.md", comment(review, costs, path))
    yield _file("report.html", review_html(review, Level.NOTE, costs))
    yield _file("review.json", review_json(review, Level.QUIET))
    yield _file("review.sarif", review_sarif(review, Level.NOTE, path))
    yield _file("cost.json", f"{json_text(costs_data(costs, review.system))}\n")
    yield _file("codequality.json", code_quality(review, Level.NOTE, path))


def _file(name: str, text: str) -> OutputFile:
    return OutputFile(name, lambda: text.encode("utf-8", "replace"))


def _costs(comparison: Comparison) -> Iterator[CostChange]:
    """Yield a change's effect on the cost of each environment. Missing environments cost nothing."""
    before, after = comparison.change.before, comparison.change.after
    for name in dict.fromkeys((*after, *before)):
        yield CostChange(name, *(_estimate(side.get(name), comparison.used) for side in (before, after)))


def _estimate(outcome: Outcome | None, used: UsageInput | None) -> Estimate | None:
    return NOTHING if outcome is None else estimate_of(outcome, used.files if used is not None else None)
