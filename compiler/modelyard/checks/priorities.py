"""Check that preemptible runs are retried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import priorities as problems
from modelyard.provider import Rule
from modelyard.spec import System


def retries(system: System) -> Iterator[Diagnostic]:
    """Require retries for pipelines with a low priority."""
    for pipeline in system.pipelines.values():
        if pipeline.priority != "normal" and not pipeline.retries:
            span = system.at("pipelines", pipeline.name, "retries")
            yield problems.preempted_without_retry(span, pipeline.name, pipeline.priority)


RULES: Final[tuple[Rule, ...]] = (retries,)
