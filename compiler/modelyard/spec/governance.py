"""The people responsible for a system, and the rules that apply to it."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec.stages import Approval, Changes


@record
class Metadata:
    """A system's name and labels."""

    name: str
    description: str = ""
    labels: tuple[tuple[str, str], ...] = ()


@record
class Profile:
    """A system's profile.

    `size` selects redundancy (`enterprise`) or low cost (`small`), and `industry` selects the policies.
    """

    industry: str = "other"  # banking insurance healthcare telecom manufacturing retail public other
    size: str = "small"  # small enterprise

    @property
    def regulated(self) -> bool:
        """Whether the industry is regulated."""
        return self.industry in {"banking", "insurance", "healthcare", "public"}


@record
class Owner:
    """The team responsible for a system, and the channel for its alerts."""

    team: str
    email: str
    oncall: str = ""  # a channel's name

    @property
    def domain(self) -> str:
        """The domain of the email address, which identifies the company in names that must be unique across a cloud.

        If another team takes over a system, it keeps its buckets.
        """
        return self.email.rpartition("@")[2].lower()


@record
class Budget:
    """A system's monthly budget, and whether exceeding it is a warning or an error."""

    monthly: float
    currency: str  # USD EUR …
    on_exceed: str = "warn"  # warn block


@record
class Approvers:
    """A group of approvers with their public keys."""

    name: str
    ssh_keys: tuple[str, ...]


@record
class Retention:
    """Retention periods for a system's data."""

    captures_s: int | None = None
    runs_s: int | None = None  # how long finished runs (jobs) are kept
    metrics_s: int | None = None


@record
class Governance:
    """A system's owner, risk, data classes and rules."""

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
