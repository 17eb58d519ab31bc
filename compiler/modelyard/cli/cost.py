"""`modelyard cost`: list what a system costs per month, line by line."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from modelyard.budget import check_budget
from modelyard.cli.console import report
from modelyard.cli.inputs import gather, other_file
from modelyard.costs import discounted
from modelyard.diagnostics import Diagnostic, has_errors, in_order
from modelyard.diagnostics.usage import several_currencies
from modelyard.fleets.costs import lines_of
from modelyard.inputs import InputFile, Inputs, quotable
from modelyard.pipeline import Outcome, understand
from modelyard.plan import Plan
from modelyard.printing.costs import Estimate, data_of, markdown_of, text_of
from modelyard.records import record
from modelyard.source import SourceFile
from modelyard.usage import NO_USAGE, Usage
from modelyard.usage_files import UsageFiles, price_book, read_usage
from modelyard_targets import TARGETS

_OF_BUDGETS: Final = frozenset({"E0513", "W0513", "W0516", "W0530"})
"""These diagnostics are reported again with the usage file's numbers, and must not prevent the command from showing by
how much a budget is exceeded.
"""


def run(arguments: argparse.Namespace) -> int:
    """Print the cost lines, or their differences from another spec. Returns 1 on an invalid file or budget error."""
    inputs, problems = gather(arguments)
    files, more = usage_files(arguments) if inputs is not None else (None, ())
    if inputs is None or more:
        report((*problems, *more), (), "text", arguments.color)
        return 1
    after = _estimated(inputs, files)
    before: _Result | None = None
    if arguments.against is not None:
        other, problems = gather(argparse.Namespace(**{**vars(arguments), "spec": arguments.against}))
        if other is None:
            report(problems, (), "text", arguments.color)
            return 1
        before = _estimated(other, files)
        if before.estimate is None:
            report(before.diagnostics, before.sources, "text", arguments.color)
            return 1
    report(after.diagnostics, after.sources, "text", arguments.color)
    if after.estimate is None:
        return 1
    sys.stdout.write(_formatted(arguments.format, after.estimate, before.estimate if before is not None else None))
    return int(has_errors(after.diagnostics))


@record
class _Result:
    estimate: Estimate | None
    diagnostics: tuple[Diagnostic, ...]
    sources: tuple[SourceFile, ...]


def usage_files(arguments: argparse.Namespace) -> tuple[UsageFiles | None, tuple[Diagnostic, ...]]:
    """Read the usage file and the price book that the usage file names."""
    if arguments.usage is None:
        return None, ()
    usage, problems = other_file(str(arguments.usage))
    if usage is None:
        return None, problems
    book_name = price_book(usage)
    if not book_name:
        return UsageFiles(usage), ()
    book, problems = other_file(os.path.join(os.path.dirname(usage.path), book_name))
    return UsageFiles(usage, book), problems


def _estimated(inputs: Inputs, files: UsageFiles | None) -> _Result:
    outcome = understand(inputs, TARGETS)
    sources = (*inputs.files(), *_sources(files))
    kept = tuple(diagnostic for diagnostic in outcome.diagnostics if diagnostic.code not in _OF_BUDGETS)
    if outcome.plan is None or has_errors(kept) or (outcome.failed and len(kept) == len(outcome.diagnostics)):
        return _Result(None, outcome.diagnostics, sources)
    plan = outcome.plan
    usage, problems = usage_of(files, plan)
    if has_errors(problems):
        return _Result(None, in_order((*kept, *problems)), sources)
    estimate = _estimate(outcome, plan, usage, files)
    if len(estimate.currencies) > 1:
        return _Result(None, in_order((*kept, several_currencies(" and ".join(estimate.currencies)))), sources)
    checked = check_budget(plan, estimate.all)
    return _Result(estimate, in_order((*kept, *problems, *checked)), sources)


def estimate_of(outcome: Outcome, files: UsageFiles | None) -> Estimate | None:
    """Return a spec's estimate, or None if it has errors unrelated to budgets.

    Usage may be assumed.
    """
    kept = tuple(diagnostic for diagnostic in outcome.diagnostics if diagnostic.code not in _OF_BUDGETS)
    if outcome.plan is None or has_errors(kept):
        return None
    return _estimate(outcome, outcome.plan, usage_of(files, outcome.plan)[0], files)


def usage_of(files: UsageFiles | None, plan: Plan) -> tuple[Usage, tuple[Diagnostic, ...]]:
    """Return the usage of a plan's system, which is unknown without a usage file."""
    if files is None:
        return NO_USAGE, ()
    return read_usage(files, plan.system, lambda provider: TARGETS[provider].price_items())


def _estimate(outcome: Outcome, plan: Plan, usage: Usage, files: UsageFiles | None) -> Estimate:
    system = plan.system
    yielded = lines_of(plan, outcome.fleets, TARGETS, usage)
    lines = {name: tuple(discounted(of_target, usage.discounts)) for name, of_target in yielded}
    nonempty = {name: target_lines for name, target_lines in lines.items() if target_lines}
    return Estimate(system.metadata.name, system.environment, nonempty, files.usage.path if files is not None else "")


def _sources(files: UsageFiles | None) -> tuple[SourceFile, ...]:
    inputs: tuple[InputFile | None, ...] = () if files is None else (files.usage, files.book)
    return quotable(*(file for file in inputs if file is not None))


def _formatted(form: str, after: Estimate, before: Estimate | None) -> str:
    if before is None:
        if form == "json":
            from modelyard.writers.json_text import json_text

            return f"{json_text(data_of(after))}\n"
        return markdown_of(after) if form == "markdown" else text_of(after)
    from modelyard.printing.cost_changes import changes_data, changes_markdown, changes_text

    if form == "json":
        from modelyard.writers.json_text import json_text

        return f"{json_text(changes_data(before, after))}\n"
    return changes_markdown(before, after) if form == "markdown" else changes_text(before, after)
