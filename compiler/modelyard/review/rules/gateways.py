"""Rules about the Gateways through which requests enter a target."""

from __future__ import annotations

from typing import Final

from modelyard.review.changes import Change
from modelyard.review.rules.base import DANGER, REVIEW, Rule, always, by_way, described_by
from modelyard.review.sides import Sides

_GATEWAY: Final = ("deployment", "targets", "*", "gateway")


def _proxies_why(change: Change, _: Sides) -> str:
    if change.removed:
        return "Pods of every namespace can then connect to the servers, past the Gateway"
    if change.added:
        return "Pods of other namespaces can no longer connect to the servers"
    return "Pods of that namespace can connect to the servers, and those of the old one no longer can"


RULES: Final[tuple[Rule, ...]] = (
    *(
        Rule(
            (*_GATEWAY, field),
            always("R408", DANGER),
            described_by("requests to {target} enter through a different Gateway: its {last} is {moves}"),
            "its listeners and addresses determine who can reach the endpoints",
        )
        for field in ("name", "namespace")
    ),
    Rule(
        (*_GATEWAY, "proxies"),
        by_way(("R401", DANGER), ("R402", REVIEW), ("R401", REVIEW)),
        described_by(
            "the proxies of the Gateway of {target} run in namespace {moves}",
            "the proxies of the Gateway of {target} may run in any namespace (was {before})",
        ),
        _proxies_why,
    ),
)
