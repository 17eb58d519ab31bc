"""Check IAM size limits, which restrict how many folders the policies of a role or user can list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Access, Identity, Plan, Resource
from modelyard.spec import System
from modelyard_targets.aws.diagnostics import plan as problems
from modelyard_targets.kube.data.crossing import crosses_from
from modelyard_targets.kube.storage.buckets import bucket_name

_OF_A_ROLE: Final = 10_240
"""Maximum total length of a role's inline policies (docs.aws.amazon.com/IAM, "IAM and AWS STS quotas", read
2026-11-25).
"""

_FOLDERS_OF_A_USER: Final = 40
"""Maximum number of folders for an IAM user: `modelyard_stacks.aws.crossing` makes ten policies with four folders each.
"""

_BESIDE: Final = 1_600  # everything except folders, such as keys
_OF_A_BUCKET: Final = 200  # the list statement for one bucket, without folders


def check_rights(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report workloads that access more folders than the policies of their IAM role or user can list.

    This covers both the placement's own workloads and those outside AWS that use its buckets.
    """
    providers = {target.name: target.provider for target in plan.system.deployment.targets}
    for resource in plan.of(Identity):
        value = resource.value
        where = plan.system.key(*resource.origin)
        if providers[resource.placement] == "aws":
            opened = [access for access in value.access if _is_bucket(access, providers, plan.system)]
            if resource.placement == placement and _size(opened, plan.system) > _OF_A_ROLE:
                yield problems.too_many_folders(where, value.workload, len(opened), "a role")
            continue
        opened = [access for access in value.access if _is_bucket(access, providers, plan.system, placement)]
        if _has_key(resource, opened, plan.system):
            if len(opened) > _FOLDERS_OF_A_USER:
                yield problems.too_many_folders(where, value.workload, len(opened), "a user")
        elif _size(opened, plan.system) > _OF_A_ROLE:
            yield problems.too_many_folders(where, value.workload, len(opened), "a role")


def _has_key(resource: Resource[Identity], opened: Sequence[Access], system: System) -> bool:
    """Return whether a workload outside AWS accesses the given buckets as an IAM user, with an access key."""
    target = system.target(resource.placement)
    return any(crosses_from(system.stores[access.store], target, system) for access in opened)


def _is_bucket(access: Access, providers: dict[str, str], system: System, target: str = "") -> bool:
    store = system.stores[access.store]
    return providers[store.target] == "aws" and not store.endpoint and target in {"", store.target}


def _size(opened: Sequence[Access], system: System) -> int:
    """Estimate the length, in characters, of the policy that grants the given access.

    A path without a trailing slash is listed as both a file and a folder.
    """
    length = _BESIDE + _OF_A_BUCKET * len({access.store for access in opened})
    for access in opened:
        listed = len(access.prefix) + len('"/*",')
        arn_length = listed + len(bucket_name(system.stores[access.store], system)) + len("arn:aws:s3:::/")
        forms = 1 if access.prefix.endswith("/") else 2
        length += listed + arn_length * forms * (2 if access.mode == "write" else 1)
    return length
