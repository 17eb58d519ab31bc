"""Checks whether this runtime supports the description of a promoter."""

from __future__ import annotations

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import SCHEMES
from modelyard_runtime.workload.records import PromoterWorkload

_OF_REGISTRY = ("models:/", "runs:/")


def check_promoter(workload: PromoterWorkload) -> None:
    """Refuse a promoter if required approvals can't be given or import sources can't be read."""
    imports = {f"models.{name}": entry for name, entry in workload.imports.items()}
    for name, entry in imports.items():
        uri, store = entry.imported.uri, entry.imported.store
        if not uri.startswith(SCHEMES if store else _OF_REGISTRY):
            raise Refusal(f"{name}: a model cannot be imported from {uri}")
    promotions = imports | {f"pipelines.{name}": entry for name, entry in workload.promotions.items()}
    promotions |= {f"models.{name}": entry for name, entry in workload.stages.items()}
    for name, promotion in promotions.items():
        approvals = promotion.approvals
        if approvals is None:
            continue
        groups, keys = approvals.from_, approvals.groups
        keyless = [group for group in groups if group not in keys or not keys[group].ssh_keys]
        if keyless:
            raise Refusal(f"{name}: {keyless[0]!r} may approve, but has no key")
        if approvals.minimum > len(groups):
            raise Refusal(f"{name}: {approvals.minimum} approvals cannot come from {len(groups)} groups")
