"""The stages by which a version of a model goes live: its aliases in order, and the requirements of each."""

from __future__ import annotations

from modelyard.records import record


@record
class Approval:
    """The approvals required before the alias of a model moves."""

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
    """The time that a version serves in the previous stage, and what a monitor must find in its answers."""

    for_s: int
    monitor: str = ""  # if empty, time alone decides
    min_rows: int = 100  # with a label
    on_failure: str = "keep"  # keep take-back


@record
class Stage:
    """One alias of a model."""

    alias: str
    after: str = ""  # the stage before; empty for the first
    checks: tuple[str, ...] | None = None  # checks of the gate; None: all of them
    soak: Soak | None = None
    approval: Approval | None = None  # its own, or that of the governance
    any_time: bool = False  # whether windows and freezes do not apply


@record
class ChangeWindow:
    """Hours on some days of the week, in minutes of the day; one that ends before it begins ends on the next day."""

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
    """When aliases may move."""

    time_zone: str = "Etc/UTC"
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()
