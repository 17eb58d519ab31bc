"""The usage of a system, from a file that must match both versions of its spec in every environment."""

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
class Used:
    """A usage file and its price book."""

    files: UsageFiles

    def usage_of(self, plan: Plan) -> Usage:
        """Return the usage of a plan's system."""
        return usage_of(self.files, plan)[0]

    def misfits(self, change: Compared) -> tuple[Diagnostic, ...]:
        """Return the errors in the file: those for the new version, and entries that no version has."""
        new, old = (
            [self._errors(one.plan) for one in side.values() if one.plan is not None]
            for side in (change.after, change.before)
        )
        found = {place: one for errors in new for place, one in errors.items()}
        # An entry that is missing from some versions or environments may still match others.
        everywhere = [place for place in found if all(place in errors for errors in (*new, *old))]
        return in_order([one for place, one in found.items() if one.code not in UNKNOWN_ENTRIES or place in everywhere])

    def _errors(self, plan: Plan) -> Mapping[tuple[str, Span | None], Diagnostic]:
        """Return the errors for a plan by code and place, because hints differ between versions."""
        _, problems = usage_of(self.files, plan)
        return {(one.code, one.span): one for one in problems if one.severity is Severity.ERROR}


def read_used(arguments: argparse.Namespace) -> tuple[Used | None, tuple[Diagnostic, ...]]:
    """Read the usage file that the arguments name."""
    files, problems = usage_files(arguments)
    return (None if files is None else Used(files)), problems
