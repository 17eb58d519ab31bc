"""Check that a high-risk system keeps evidence of its operation, and that workloads cannot delete it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import evidence as problems
from modelyard.provider import Rule
from modelyard.spec import System


def shared_keys(system: System) -> Iterator[Diagnostic]:
    """Report audited captures in a store whose credentials are shared by all workloads."""
    if system.governance.risk != "high" and not system.profile.regulated:
        return
    for name in dict.fromkeys(inference.capture.store for inference in system.inference.values() if inference.capture):
        store = system.stores[name]
        if store.credentials is not None and store.credentials_per == "store":
            yield problems.captures_by_shared_key(system.key("stores", name, "credentials"), name)


def switched_off(system: System) -> Iterator[Diagnostic]:
    """Report event records that are switched off in a high-risk system."""
    if system.governance.risk != "high":
        return
    if not system.governance.lineage:
        consequence = "no version of a model records which data and code it came from"
        yield problems.evidence_off(system.key("governance", "lineage"), "lineage", consequence)
    for store in system.stores.values():
        if store.type == "object" and not store.adopt and not store.versioned:
            consequence = f"objects that are overwritten or deleted in store '{store.name}' are lost"
            yield problems.evidence_off(system.key("stores", store.name, "versioned"), "versioned", consequence)
    for inference in system.inference.values():
        if not inference.endpoint.access_log:
            span = system.key("inference", inference.name, "endpoint", "accessLog")
            consequence = f"there is no record of who called endpoint '{inference.name}'"
            yield problems.evidence_off(span, "accessLog", consequence)


RULES: Final[tuple[Rule, ...]] = (shared_keys, switched_off)
