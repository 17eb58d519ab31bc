"""Report gates and approvals without effect, data sent unencrypted or abroad, and removed safeguards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.checks.addresses import addresses, country_of, in_clear
from modelyard.checks.governance import SENSITIVE
from modelyard.checks.regions import regions
from modelyard.checks.safeguards import lifted
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import governance_in_name as problems
from modelyard.provider import Rule
from modelyard.spec import System


def gates(system: System) -> Iterator[Diagnostic]:
    """Require a gate for high-risk models trained by this system, with bounds that also apply to the first version."""
    if system.governance.risk != "high":
        return
    for name in _promoted(system):
        checks, imported = system.models[name].validation, system.models[name].imported
        if not checks and imported is None:  # E0980 reports a model that is both imported and trained
            yield problems.high_risk_without_gate(system.key("models", name), name)
        elif all(check.versus and check.minimum is None and check.maximum is None for check in checks):
            yield problems.gate_without_bounds(system.key("models", name, "validation"), name)


def _promoted(system: System) -> dict[str, None]:
    """Return the models that this spec's pipelines train."""
    pipelines = [pipeline for pipeline in system.pipelines.values() if pipeline.type == "training"]
    return dict.fromkeys(pipeline.model.model for pipeline in pipelines if pipeline.model)


def approvals(system: System) -> Iterator[Diagnostic]:
    """Require approval by a group other than the team that owns the system."""
    approval, team = system.governance.approve_promotion, system.governance.owner.team
    if approval is None:
        return
    team_groups = [group for group in approval.groups if group.casefold() == team.casefold()]
    if team_groups and approval.minimum <= len(team_groups):
        span = system.at("governance", "approvals", "promote", "from", approval.groups.index(team_groups[0]))
        alone = system.governance.risk == "high" and len(approval.groups) == len(team_groups)
        yield (problems.owner_approves_alone if alone else problems.owner_may_approve_alone)(span, team)


def in_the_clear(system: System) -> Iterator[Diagnostic]:
    """Report credentials and personal data that leave a cluster without TLS."""
    for address in addresses(system, _sensitive_stores(system)):
        if in_clear(address.url) and (address.credentials or address.sensitive):
            cargo = "personal data" if address.sensitive else "credentials"
            yield problems.sent_in_clear(system.at(*address.path), address.what, cargo)


def requests_in_the_clear(system: System) -> Iterator[Diagnostic]:
    """Report the system's own Gateways that accept requests with personal data without TLS.

    Existing Gateways aren't described in the spec. A public endpoint without a certificate is a separate error.
    """
    if set(SENSITIVE).isdisjoint(system.governance.data_classes):
        return
    for inference in system.inference.values():
        target, endpoint = system.target(inference.target), inference.endpoint
        unencrypted = (
            target.gateway.class_name and not target.gateway.certificate if target.gateway else target.creates_cluster
        )
        in_steps = inference.rollout.strategy == "incremental"  # KubeRay's Gateway has no TLS, even if ours has
        reported = system.profile.regulated and endpoint.auth.type != "none"  # reported as W0636
        is_reachable = endpoint.exposure == "internal" or (in_steps and not target.creates_cluster)
        if is_reachable and (unencrypted or in_steps) and not reported:
            field = ("endpoint", "exposure") if endpoint.exposure == "internal" else ("rollout", "strategy")
            span = system.at("inference", inference.name, *field)
            yield problems.requests_in_clear(span, inference.name, target.name, in_steps)


def _sensitive_stores(system: System) -> frozenset[str]:
    """Return the stores with sensitive data: datasets, or captures if governance declares a sensitive class."""
    stores = {data.store for data in system.data.values() if data.classification in SENSITIVE}
    if not set(SENSITIVE).isdisjoint(system.governance.data_classes):
        stores |= {inference.capture.store for inference in system.inference.values() if inference.capture}
    return frozenset(stores)


def endpoints_abroad(system: System) -> Iterator[Diagnostic]:
    """Report addresses in cloud regions where governance does not allow data."""
    allowed = system.governance.residency
    for address in addresses(system, frozenset()) if allowed else ():
        place = country_of(address.url)
        if place is not None and not regions().within(place[1], allowed):
            yield problems.address_abroad(system.at(*address.path), address.what, *place, allowed)
    for store in system.stores.values() if allowed else ():
        country = regions().country_of(store.region)
        on_cluster = not system.target(store.target).in_cloud and not store.endpoint
        if on_cluster and country and not regions().within(country, allowed):
            span = system.at("stores", store.name, "region")
            yield problems.address_abroad(span, f"store '{store.name}'", store.region, country, allowed)


def overrides(system: System) -> Iterator[Diagnostic]:
    """Report overrides that remove a safeguard: errors in regulated high-risk systems, warnings elsewhere."""
    strict = system.profile.regulated and system.governance.risk == "high"
    for override in system.overrides:
        for at, effect in lifted(override):
            span = system.at("overrides", override.name, "patch", at)
            problem = problems.safeguard_lifted_at_high_risk if strict else problems.safeguard_lifted
            yield problem(span, override.name, effect, override.reason)


RULES: Final[tuple[Rule, ...]] = (gates, approvals, in_the_clear, endpoints_abroad, overrides, requests_in_the_clear)
