"""Promotions: the rules for moving model aliases."""

from __future__ import annotations

from dataclasses import dataclass

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.decode import Record
from modelyard_runtime.workload.records.common import Check
from modelyard_runtime.workload.records.models import Approvals, Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Import(Record):
    """A model trained elsewhere, with the location and digest of its files."""

    uri: str
    digest: str
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak(Record):
    """How long, and how well, a version must first serve at the previous alias."""

    seconds: int
    monitor: str = ""
    min_rows: int = 0
    take_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWindow(Record):
    """A weekly period in which aliases may move."""

    days: tuple[int, ...]
    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Record):
    """Days on which no alias may move."""

    from_: str
    to: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes(Record):
    """When aliases may move, in a single time zone."""

    time_zone: str
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion(Record):
    """The requirements for moving one alias of a model."""

    model: Model
    promote_to: str
    import_: Import | None = None
    validation: tuple[Check, ...] = ()
    approvals: Approvals | None = None
    after: str = ""
    checks: tuple[str, ...] | None = None
    soak: Soak | None = None
    changes: Changes | None = None

    @property
    def imported(self) -> Import:
        """Return the import. Refuse a model that is not imported."""
        if self.import_ is None:
            raise Refusal(f"model {self.model.name!r} is not imported")
        return self.import_
