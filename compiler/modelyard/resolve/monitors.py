"""Resolve monitors, and the channels for alerts from monitors and SLOs."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.nodes import Node, flag, mapping, named_nodes, text, texts
from modelyard.resolve.compute import compute_of_monitor
from modelyard.resolve.data import check_of
from modelyard.resolve.pipelines import schedule_of
from modelyard.resolve.quantities import part, seconds, seconds_or
from modelyard.resolve.scope import Scope, address, reference, references, secret
from modelyard.source import Path
from modelyard.spec import (
    RULES_ONLY,
    Channel,
    Deployment,
    Inference,
    Monitor,
    OnBreach,
    Owner,
    Pipeline,
    Reference,
    Schedule,
)

_DAY_S = 86400
_COVERAGE = 0.5
_HOURLY = Schedule(kind="cron", cron="0 * * * *")
_DAILY = Schedule(kind="cron", cron="0 6 * * *")
_SECRETS = {"slack": "url", "webhook": "url", "pagerduty": "key", "email": "password"}


def resolve_monitors(
    scope: Scope,
    deployment: Deployment,
    endpoints: Mapping[str, Inference],
    pipelines: Mapping[str, Pipeline],
    owner: Owner,
) -> dict[str, Monitor]:
    """Resolve all monitors.

    Monitors without a target run on `placement.monitors`. The exception is monitors of type `performance`, which run
    where the watched resource runs, because its metrics exist only there.

    Monitors without a schedule run hourly if the window is shorter than a day, and daily at 06:00 UTC otherwise.
    Without `notify`, breaches are reported to the owner's on-call channel.
    """
    oncall = (owner.oncall,) if owner.oncall else ()
    targets = {
        **{f"inference.{name}": workload.target for name, workload in endpoints.items()},
        **{f"pipelines.{name}": workload.target for name, workload in pipelines.items()},
    }
    return {
        name: _monitor(scope, name, node, _home(node, deployment, targets), oncall)
        for name, node in named_nodes(scope.root, "monitors")
    }


def _home(node: Node, deployment: Deployment, targets: Mapping[str, str]) -> str:
    elsewhere = deployment.placement.monitors
    return targets.get(text(node, "watch"), elsewhere) if text(node, "type") in RULES_ONLY else elsewhere


def _monitor(scope: Scope, name: str, node: Node, default_target: str, oncall: tuple[str, ...]) -> Monitor:
    path = ("monitors", name)
    window_s = seconds_or(scope, node, "window", path, _DAY_S)
    default_schedule = _HOURLY if window_s < _DAY_S else _DAILY
    return Monitor(
        name=name,
        type=text(node, "type"),
        target=reference(scope, "targets", node, "target", path, default_target),
        watch=address(scope, node, "watch", path),
        checks=tuple(
            check_of(scope, check, entry, (*path, "checks", check)) for check, entry in named_nodes(node, "checks")
        ),
        reference=_reference(scope, mapping(node, "reference"), (*path, "reference")) if "reference" in node else None,
        window_s=window_s,
        schedule=schedule_of(scope, node.get("schedule"), (*path, "schedule"), default_schedule),
        compute=compute_of_monitor(scope, node, path, f"monitors-{name}"),
        labels=reference(scope, "data", node, "labels", path),
        on_breach=_on_breach(scope, mapping(node, "onBreach"), (*path, "onBreach"), oncall),
        key=texts(node, "key"),
        coverage=part(scope, node, "coverage", path, _COVERAGE),
    )


def _reference(scope: Scope, node: Node, path: Path) -> Reference:
    return Reference(reference(scope, "data", node, "data", path), seconds(scope, node, "window", path))


def _on_breach(scope: Scope, node: Node, path: Path, oncall: tuple[str, ...]) -> OnBreach:
    default = OnBreach(notify=oncall)
    if not node:
        return default
    run = address(scope, node, "run", path) if "run" in node else ""
    return OnBreach(
        notify=references(scope, "channels", node, "notify", path) if "notify" in node else oncall,
        run=run.removeprefix("pipelines."),
        rollback=flag(node, "rollback", default=False),
        cooldown_s=seconds_or(scope, node, "cooldown", path, default.cooldown_s),
    )


def resolve_channels(scope: Scope) -> dict[str, Channel]:
    """Resolve notification channels, including the secret each type requires."""
    return {name: _channel(name, node) for name, node in named_nodes(scope.root, "channels")}


def _channel(name: str, node: Node) -> Channel:
    kind = text(node, "type")
    return Channel(
        name=name,
        type=kind,
        secret=secret(node, _SECRETS[kind]),
        room=text(node, "room"),
        to=text(node, "to"),
        sender=text(node, "from"),
        smarthost=text(node, "smarthost"),
        username=text(node, "username"),
        severities=texts(node, "severities") if "severities" in node else ("page", "ticket"),
    )
