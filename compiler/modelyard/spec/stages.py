"""The stages through which a model version goes live: aliases in order, each with its requirements."""

from __future__ import annotations

from modelyard.records import record


@record
class Approval:
    """The approvals that are required before a model's alias moves."""

    groups: tuple[str, ...]
    minimum: int = 1


@record
class Signed:
    """An approval next to the spec: a statement about a digest, with its signature."""

    model: str  # the registered name
    alias: str
    digest: str
    evidence: str  # statement and signature, as JSON


@record
class Soak:
    """How long a version must serve in the previous stage, and which monitor's checks must pass."""

    for_s: int
    monitor: str = ""  # if empty, only the time decides
    min_rows: int = 100  # with a label
    on_failure: str = "keep"  # keep take-back


@record
class Stage:
    """A stage of a model, identified by an alias."""

    alias: str
    after: str = ""  # the previous stage; empty for the first
    checks: tuple[str, ...] | None = None  # checks of the gate; None: all
    soak: Soak | None = None
    approval: Approval | None = None  # the stage's own approval, or the default from governance
    any_time: bool = False  # whether windows and freezes do not apply


@record
class ChangeWindow:
    """Hours on some weekdays, in minutes of the day. If the end is before the start, it means the next day."""

    days: tuple[int, ...]  # Monday is 0
    from_minute: int
    to_minute: int


@record
class Freeze:
    """Days without promotions, both ends included, such as 2026-12-18."""

    first: str
    last: str
    reason: str = ""


@record
class Changes:
    """The times when aliases may move."""

    time_zone: str = "Etc/UTC"
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()
