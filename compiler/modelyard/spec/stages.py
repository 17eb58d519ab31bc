"""How a version of a model goes live: the aliases that it gets one after the other, and what each asks for."""

from __future__ import annotations

from modelyard.records import record


@record
class Approval:
    """Who must agree before the alias of a model moves."""

    groups: tuple[str, ...]
    minimum: int = 1


@record
class Signed:
    """An approval that lies beside the spec: a statement about a digest, with its signature."""

    model: str  # the registered name
    alias: str
    digest: str
    evidence: str  # statement and signature, as JSON


@record
class Soak:
    """How long a version serves in the stage before, and what a monitor must say of its answers then."""

    for_s: int
    monitor: str = ""  # time alone decides where there is none
    min_rows: int = 100  # with a label
    on_failure: str = "keep"  # keep take-back


@record
class Stage:
    """One alias of a model."""

    alias: str
    after: str = ""  # the stage before; empty for the first
    checks: tuple[str, ...] | None = None  # lines of the gate; all of them where nothing is said
    soak: Soak | None = None
    approval: Approval | None = None  # its own, or that of the governance
    any_time: bool = False  # whether windows and freezes are of no concern


@record
class ChangeWindow:
    """Hours on some days of the week, in minutes of the day; one that ends before it begins ends on the next day."""

    days: tuple[int, ...]  # Monday is 0
    from_minute: int
    to_minute: int


@record
class Freeze:
    """Days in which nothing is promoted, both included, such as 2026-12-18."""

    first: str
    last: str
    reason: str = ""


@record
class Changes:
    """When aliases may move."""

    time_zone: str = "Etc/UTC"
    windows: tuple[ChangeWindow, ...] = ()
    freezes: tuple[Freeze, ...] = ()
