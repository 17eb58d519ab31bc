"""Resolve metadata, profile and governance, which determine who owns the system and which rules apply."""

from __future__ import annotations

from modelyard.nodes import Node, flag, mapping, named_nodes, pairs, text, texts
from modelyard.resolve.quantities import amount, seconds
from modelyard.resolve.scope import Scope, reference
from modelyard.resolve.stages import approval_of, changes_of
from modelyard.spec import Approvers, Budget, Governance, Metadata, Owner, Profile, Retention

_PATH = ("governance",)


def resolve_metadata(scope: Scope) -> Metadata:
    """Resolve the system's name, description and labels."""
    node = mapping(scope.root, "metadata")
    return Metadata(text(node, "name"), text(node, "description"), pairs(node, "labels"))


def resolve_profile(scope: Scope) -> Profile:
    """Resolve the industry and size."""
    node = mapping(scope.root, "profile")
    return Profile(text(node, "industry", "other"), text(node, "size", "small"))


def resolve_governance(scope: Scope) -> Governance:
    """Resolve the owner, risk, budget and other governance rules."""
    node = mapping(scope.root, "governance")
    owner = mapping(node, "owner")
    approvals = mapping(node, "approvals")
    return Governance(
        owner=Owner(
            team=text(owner, "team"),
            email=text(owner, "email"),
            oncall=reference(scope, "channels", owner, "oncall", (*_PATH, "owner")),
        ),
        risk=text(node, "risk", "limited"),
        data_classes=texts(node, "dataClasses"),
        residency=texts(node, "residency"),
        budget=_budget(scope, mapping(node, "budget")) if "budget" in node else None,
        approve_promotion=approval_of(mapping(approvals, "promote")) if "promote" in approvals else None,
        approvers=tuple(Approvers(name, texts(group, "sshKeys")) for name, group in named_nodes(node, "approvers")),
        changes=changes_of(mapping(node, "changes")) if "changes" in node else None,
        lineage=flag(node, "lineage", default=True),
        explainability=text(node, "explainability", "optional") == "required",
        retention=_retention(scope, mapping(node, "retention")),
    )


def _budget(scope: Scope, node: Node) -> Budget:
    monthly, currency = amount(scope, node, "monthly", (*_PATH, "budget")) or (0.0, "")
    return Budget(monthly, currency, text(node, "onExceed", "warn"))


def _retention(scope: Scope, node: Node) -> Retention:
    path = (*_PATH, "retention")
    return Retention(
        captures_s=seconds(scope, node, "captures", path),
        runs_s=seconds(scope, node, "runs", path),
        metrics_s=seconds(scope, node, "metrics", path),
    )
