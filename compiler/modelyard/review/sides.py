"""The two versions of a system that a review compares, along with facts about them that rules need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.records import record
from modelyard.spec import System

SENSITIVE: Final = frozenset({"pii", "cardholder", "phi"})
"""The classes of data about people, their payments or their health."""

_TRIALS: Final = frozenset({"dev", "development", "local", "test", "testing", "staging", "sandbox"})


@record
class Sides:
    """An environment's system before and after a change."""

    before: System
    after: System

    @property
    def guarded(self) -> str:
        """Why safeguards matter more for this system, going by the stricter of both profiles, or "" if they don't."""
        if self.is_high_risk:
            return "risk: high"
        for system in (self.before, self.after):
            if system.profile.regulated:
                return f"industry: {system.profile.industry}"
        return ""

    @property
    def is_high_risk(self) -> bool:
        """Whether the risk is high in either version."""
        return any(system.governance.risk == "high" for system in (self.before, self.after))

    @property
    def sensitive(self) -> frozenset[str]:
        """The sensitive data classes that either version declares."""
        return frozenset(name for system in (self.before, self.after) for name in classes_of(system)) & SENSITIVE

    @property
    def is_trial(self) -> bool:
        """Whether this is a trial environment, judging by its name or because it runs on a single machine."""
        return is_for_trials(self.after)


def is_for_trials(system: System) -> bool:
    """Return whether this is a trial environment, judging by its name or because it runs on a single machine."""
    return system.environment in _TRIALS or system.deployment.mode == "local"


def classes_of(system: System) -> Iterator[str]:
    """Yield the data classes that a system declares, both for itself and for its datasets."""
    yield from system.governance.data_classes
    yield from (data.classification for data in system.data.values() if data.classification)


def served_at(system: System, model: str) -> Iterator[tuple[str, str, int]]:
    """Yield the endpoints that serve a model, with the alias and the percentage of traffic."""
    for inference in system.inference.values():
        for variant in inference.variants:
            if variant.model.model == model:
                yield inference.name, variant.model.alias, variant.percent
