"""A system's usage, read from a file that is checked against both spec versions in every environment."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from modelyard.cli.cost import usage_files, usage_of
from modelyard.cli.versions import Compared
from modelyard.diagnostics import Diagnostic, Severity, in_order
from modelyard.diagnostics.usage import UNKNOWN_ENTRIES
from modelyard.plan import Plan
from modelyard.records import record
from modelyard.source import Span
from modelyard.usage import Usage
from modelyard.usage_files import UsageFiles


@record
class UsageInput:
    """A usage file and its price book."""

    files: UsageFiles

    def usage_of(self, plan: Plan) -> Usage:
        """Return the usage of a plan's system."""
        return usage_of(self.files, plan)[0]

    def misfits(self, change: Compared) -> tuple[Diagnostic, ...]:
        """Return the file's errors in the new version, and its entries that match neither version of the spec."""
        new, old = (
            [self._errors(item.plan) for item in side.values() if item.plan is not None]
            for side in (change.after, change.before)
        )
        errors_by_place = {place: item for errors in new for place, item in errors.items()}
        # An entry that is missing from some versions or environments may still match others.
        everywhere = [place for place in errors_by_place if all(place in errors for errors in (*new, *old))]
        return in_order(
            [item for place, item in errors_by_place.items() if item.code not in UNKNOWN_ENTRIES or place in everywhere]
        )

    def _errors(self, plan: Plan) -> Mapping[tuple[str, Span | None], Diagnostic]:
        """Return the errors for a plan, keyed by code and location because hints differ between versions."""
        _, problems = usage_of(self.files, plan)
        return {(problem.code, problem.span): problem for problem in problems if problem.severity is Severity.ERROR}


def read_used(arguments: argparse.Namespace) -> tuple[UsageInput | None, tuple[Diagnostic, ...]]:
    """Read the usage file that the arguments name."""
    files, problems = usage_files(arguments)
    return (None if files is None else UsageInput(files)), problems
