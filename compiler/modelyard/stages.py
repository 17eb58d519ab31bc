"""The compiler's stages, and the outcome passed from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from modelyard.diagnostics import Diagnostic, Severity, has_errors, in_order
from modelyard.plan import Plan
from modelyard.records import field, record, replace
from modelyard.source import Document
from modelyard.spec import System
from modelyard.stack import Stack

if TYPE_CHECKING:
    from modelyard.fleets.fleet import Fleet
    from modelyard.sites.binding import Bound

__all__ = ["Outcome", "Stage"]


class Stage(IntEnum):
    """The stages that report diagnostics, in execution order and named as in docs/pipeline.md."""

    LOAD = 1
    OVERLAY = 2
    SUBSTITUTE = 3
    VALIDATE = 4
    RESOLVE = 5
    CHECK = 6
    PLAN = 7
    FIT = 8


@record
class Outcome:
    """The results and diagnostics of a compile up to the last stage that ran. Later results are None.

    `patch` is the environment's loaded file. `stages` maps each diagnostic to its stage. `reached` is the last stage
    that checked the whole spec as written. `waiting` holds the stages that couldn't run because of errors. `aside`
    holds the addresses of entries that were removed because they depend on an error. `bound` holds the site groups and
    their bindings, and `fleets` holds these groups with the plans for each kind of site.
    """

    diagnostics: tuple[Diagnostic, ...] = ()
    document: Document | None = None
    patch: Document | None = None
    system: System | None = None
    plan: Plan | None = None
    stacks: tuple[Stack, ...] = ()
    stages: Mapping[Diagnostic, Stage] = field(default_factory=dict[Diagnostic, Stage], repr=False)
    reached: Stage = Stage.LOAD
    waiting: tuple[Stage, ...] = ()
    aside: tuple[str, ...] = ()
    bound: Bound | None = None
    fleets: tuple[Fleet, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an error was reported."""
        return has_errors(self.diagnostics)

    def errors(self) -> tuple[Stage, tuple[Diagnostic, ...]]:
        """Return the first stage that reported an error, along with its errors. There must be at least one."""
        errors = [diagnostic for diagnostic in self.diagnostics if diagnostic.severity is Severity.ERROR]
        stage = min(self.stages[diagnostic] for diagnostic in errors)
        return stage, tuple(diagnostic for diagnostic in errors if self.stages[diagnostic] is stage)

    def after(self, stage: Stage, reported: Iterable[Diagnostic]) -> Outcome:
        """Return the outcome, adding the diagnostics reported by another stage.

        After an error, the warnings of later stages are dropped.
        """
        added = tuple(reported)
        if self.failed and any(self.stages[diagnostic] < stage for diagnostic in self.diagnostics):
            added = tuple(diagnostic for diagnostic in added if diagnostic.severity is Severity.ERROR)
        return replace(
            self,
            diagnostics=in_order((*self.diagnostics, *added)),
            stages={**dict.fromkeys(added, stage), **self.stages},
            reached=stage,
        )
