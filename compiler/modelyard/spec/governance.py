"""Who answers for a system, and the rules it keeps."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec.stages import Approval, Changes


@record
class Metadata:
    """A system's name and what it is labelled with."""

    name: str
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@record
class Profile:
    """Chooses defaults: `size: enterprise` asks for redundancy, `small` for frugality; `industry` for its policies."""

    industry: str = "other"  # banking insurance healthcare telecom manufacturing retail public other
    size: str = "small"  # small enterprise

    @property
    def regulated(self) -> bool:
        """Whether somebody supervises the industry."""
        return self.industry in {"banking", "insurance", "healthcare", "public"}


@record
class Owner:
    """Who answers for a system, and whom its alerts call."""

    team: str
    email: str
    oncall: str = ""  # a channel's name


@record
class Budget:
    """What a system may cost a month, and whether more is told or refused."""

    monthly: float
    currency: str  # USD EUR …
    on_exceed: str = "warn"  # warn block


@record
class Approvers:
    """The keys of one group that may approve."""

    name: str
    ssh_keys: tuple[str, ...]


@record
class Retention:
    """How long what a system leaves behind is kept."""

    captures_s: int | None = None
    runs_s: int | None = None  # finished runs (jobs) are kept this long
    metrics_s: int | None = None


@record
class Governance:
    """Who answers for a system, at what risk, with which data, and what it has to keep to."""

    owner: Owner
    risk: str = "limited"  # minimal limited high
    data_classes: tuple[str, ...] = ()
    residency: tuple[str, ...] = ()
    budget: Budget | None = None
    approve_promotion: Approval | None = None
    approvers: tuple[Approvers, ...] = ()
    changes: Changes | None = None
    lineage: bool = True
    explainability: bool = False  # every model must declare explainability
    retention: Retention = Retention()
