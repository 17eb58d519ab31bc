"""Find Helm charts and images that changed only because modelyard was upgraded, by checking the old lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.lock import environments
from modelyard.records import record
from modelyard.review.findings import Finding, Level
from modelyard.source import Json
from modelyard.spec import System
from modelyard.stages import Outcome
from modelyard.target import Targets


@record
class Locks:
    """The contents of the lock files next to both versions of a spec."""

    before: bytes = b""
    after: bytes = b""


def upgraded(locks: Locks, environment: str, old: Outcome, targets: Targets) -> Iterator[Finding]:
    """Report charts and images whose locked version differs from the one that modelyard now uses for the old spec."""
    entry = environments(locks.before).get(environment) if locks.before and old.plan is not None else None
    if not isinstance(entry, dict) or old.plan is None or old.system is None:
        return
    pins = [targets[target.provider].pins(old.plan, target.name) for target in old.system.deployment.targets]
    charts = {name: version for pinned in pins for name, version in pinned.charts.items()}
    images = {name: tag for pinned in pins for name, tag in pinned.images.items()}
    for kind, now in (("charts", charts), ("images", images)):
        yield from _changed(kind, _texts(entry.get(kind)), now, old.system)


def _texts(value: Json) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _changed(kind: str, locked: Mapping[str, str], now: Mapping[str, str], system: System) -> Iterator[Finding]:
    for name in sorted(locked.keys() & now.keys()):
        if locked[name] != now[name]:
            level = Level.DANGER if _major(locked[name]) != _major(now[name]) else Level.REVIEW
            yield Finding(
                "R701",
                level,
                (kind, name),
                f"{name} is {now[name]} (was {locked[name]})",
                "it comes with this version of modelyard, not from a change of the spec",
                before=locked[name],
                after=now[name],
                environments=(system.environment,),
            )


def _major(version: str) -> str:
    return version.removeprefix("v").partition(".")[0]
