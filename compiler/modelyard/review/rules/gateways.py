"""Rules about the Gateways through which requests enter a target."""

from __future__ import annotations

from typing import Final

from modelyard.review.rules.base import DANGER, REVIEW, Rule, always, by_way, named

_GATEWAY: Final = ("deployment", "targets", "*", "gateway")

RULES: Final[tuple[Rule, ...]] = (
    *(
        Rule(
            (*_GATEWAY, field),
            always("R408", DANGER),
            named("requests to {target} enter through the Gateway with {last} {moves}"),
            "its listeners and addresses decide who can reach the endpoints",
        )
        for field in ("name", "namespace")
    ),
    Rule(
        (*_GATEWAY, "proxies"),
        by_way(("R401", DANGER), ("R402", REVIEW), ("R401", REVIEW)),
        named(
            "proxies of the Gateway of {target} run in namespace {moves}",
            "proxies of the Gateway of {target} may run in any namespace, in {before} before",
        ),
        lambda change, _: (
            "Pods of every namespace can then connect to the servers, past the Gateway" if change.removed else ""
        ),
    ),
)
