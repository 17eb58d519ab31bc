"""The stages a model version passes through to go live, as an ordered list of aliases with requirements."""

from __future__ import annotations

from modelyard.records import record


@record
class Approval:
    """The approvals required before a model's alias moves."""

    groups: tuple[str, ...]
    minimum: int = 1


@record
class Signed:
    """An approval stored next to the spec: a signed statement about a digest."""

    model: str  # the registered name
    alias: str
    digest: str
    evidence: str  # the statement and its signature, as JSON


@record
class Soak:
    """How long a model version must serve in the previous stage, and whose checks it must pass there."""

    for_s: int
    monitor: str = ""  # if empty, only the duration counts
    min_rows: int = 100  # the minimum number of rows with a label
    on_failure: str = "keep"  # keep take-back


@record
class Stage:
    """A stage of a model, identified by an alias."""

    alias: str
    after: str = ""  # the previous stage; empty for the first stage
    checks: tuple[str, ...] | None = None  # the gate's checks; None means all of them
    soak: Soak | None = None
    approval: Approval | None = None  # the stage's own approval, or the default from governance
    any_time: bool = False  # whether windows and freezes do not apply


@record
class ChangeWindow:
    """A time window on certain weekdays, in minutes of the day.

    If the end is before the start, it's on the next day.
    """

    days: tuple[int, ...]  # Monday is 0
    from_minute: int
    to_minute: int


@record
class Freeze:
    """A period without promotions, given by its first and last day, such as 2026-12-18."""

    first: str
    last: str
    reason: str = ""


@record
class Changes:
    """The times when aliases may move."""

    time_zone: str = "Etc/UTC"
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()
