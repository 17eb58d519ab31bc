"""Check that different references lead to different Secrets, none of which is a generated one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import platform as problems
from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.names import object_name
from modelyard.plan import Identity, Kind, Plan, Secret
from modelyard.spec import SecretRef, TargetSpec, target_path
from modelyard_targets.kube.data.crossing import CROSSING_NAME, crosses_from
from modelyard_targets.kube.placement.context import secret_name
from modelyard_targets.kube.placement.fixed import ADMIN_SECRET, GRAFANA_SECRET, LOGIN_SECRET
from modelyard_targets.kube.placement.placed import addons_to_install, managed_stores, registry_of, target_of

_OF_CLOUDNATIVE_PG: Final = ("app", "superuser", "ca", "server", "replication")
"""Suffixes of the Secrets that CloudNativePG creates for a Cluster (api/v1 of cloudnative-pg/cloudnative-pg)."""


def check_secrets(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check all Secret references of a placement, including its image pull secret."""
    target = target_of(plan, placement)
    known: dict[str, SecretRef] = {}
    generated = dict(_generated(plan, placement, target))
    for resource in plan.of(Secret, placement):
        ref = resource.value.ref
        name = secret_name(ref, target)
        where = plan.system.at(*resource.origin)
        if owner := _owner(name, generated):
            yield problems.generated_secret(where, name, owner)
        other = known.setdefault(name, ref)
        if (other.store, other.path) != (ref.store, ref.path) and _differ(other, ref, target):
            yield problems.secrets_meet(where, _text(other), _text(ref), name)
    pull = target.images.pull_secret
    if pull and (owner := _owner(pull, generated)):
        where = plan.system.at(*target_path(plan.system, placement), "images", "pullSecret")
        yield problems.generated_secret(where, pull, owner)


def _generated(plan: Plan, placement: str, target: TargetSpec) -> Iterator[tuple[str, str]]:
    """Yield the names of generated Secrets and their owners. A trailing dot marks a prefix."""
    if "prometheus" in addons_to_install(plan, placement):
        yield GRAFANA_SECRET, "the Grafana administrator"
    if registry_of(plan, placement) is not None:
        yield ADMIN_SECRET, "the MLflow administrator"
        yield LOGIN_SECRET, "a workload's MLflow login"
    for database in managed_stores(plan, placement, Kind.DATABASE):
        suffixes = ("login",) if target.in_cloud else _OF_CLOUDNATIVE_PG
        for suffix in suffixes:
            yield f"{database.name}-{suffix}", f"the database of store {quote(database.value.name)}"
    for identity in plan.of(Identity, placement):
        stores = (plan.system.stores[access.store] for access in identity.value.access)
        for store in stores:
            if crosses_from(store, target, plan.system):
                owner = f"the access of {quote(identity.value.workload)} to target {quote(store.target)}"
                yield object_name(CROSSING_NAME, identity.name), owner
                yield object_name(CROSSING_NAME, identity.name, store.target), owner


def _owner(name: str, generated: dict[str, str]) -> str:
    """Return the owner of a generated Secret, or ""."""
    return generated.get(name) or generated.get(name.partition(".")[0] + ".", "")


def _differ(first: SecretRef, second: SecretRef, target: TargetSpec) -> bool:
    """Return whether two references name different Secrets. Existing Secrets are identified by their path."""
    if first.path == second.path:
        vias = {store.name: store.via for store in target.secret_stores}
        return any(vias.get(ref.store, "existing") != "existing" for ref in (first, second))
    return True


def _text(ref: SecretRef) -> str:
    return f"secret://{ref.store}/{ref.path}" + (f"#{ref.key}" if ref.key else "")
