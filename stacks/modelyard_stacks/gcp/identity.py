"""Workload identities, which give the Pods of one ServiceAccount exactly the access in the spec."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias, TypedDict

import pulumi
from pulumi_gcp import storage

from .adopted import AdoptedCluster
from .cluster import Cluster
from .storage import ObjectStore

Mode: TypeAlias = Literal["read", "write", "append"]

_ROLES: dict[Mode, str] = {
    "read": "roles/storage.objectViewer",
    "write": "roles/storage.objectUser",
    "append": "roles/storage.objectCreator",
}
_LISTING = "roles/storage.legacyBucketReader"
"""A role that can list object names and read the bucket's own settings, but no objects."""

_OF_A_CONDITION = 6
_CONDITIONS = 20
"""The maximum number of folders per condition, which has 12 operators, and of bindings per role and member.

Source: https://docs.cloud.google.com/iam/quotas, 2026-11-27.
"""


class StoreAccess(TypedDict):
    """Access to one folder or file in a bucket. An empty prefix means the whole bucket.

    `write` includes `read` and deletion. `append` adds objects but can neither read nor delete them. A prefix that ends
    with a slash is a folder, and any other may be a folder or a file.
    """

    bucket: str
    prefix: str
    mode: Mode


class Identity(pulumi.ComponentResource):
    """A workload's permissions, granted to its ServiceAccount's Pods without a key or annotation.

    Objects can only be read or written under the prefixes in `access`, but their names can be listed in the whole
    bucket. Google checks the permission to list per bucket, and without it, a missing object looks like a forbidden
    object. `stores` are the buckets in `access` that the program creates.
    """

    member: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster | AdoptedCluster,
        namespace: str,
        service_account: str,
        access: Sequence[StoreAccess],
        stores: Sequence[ObjectStore] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:Identity", name, None, cluster.project.options(opts))
        if not access:
            raise pulumi.RunError(f"{name}: an identity needs at least one permission")
        self.member = cluster.project.pods_of(namespace, service_account)
        # the workload identity pool is created with the project's first cluster
        open_buckets(
            name,
            self.member,
            access,
            pulumi.ResourceOptions(parent=self, depends_on=[*cluster.ready, *stores]),
        )
        self.register_outputs({"member": self.member})


def open_buckets(
    name: str, member: pulumi.Input[str], access: Sequence[StoreAccess], within: pulumi.ResourceOptions
) -> None:
    """Grant a member exactly the given access to buckets."""
    for bucket in dict.fromkeys(each["bucket"] for each in access):
        _Grants(member, within).open(name, bucket, [each for each in access if each["bucket"] == bucket])


class _Grants:
    """The roles granted to one member on buckets."""

    def __init__(self, member: pulumi.Input[str], within: pulumi.ResourceOptions) -> None:
        self._member, self._within = member, within

    def open(self, name: str, bucket: str, access: Sequence[StoreAccess]) -> None:
        if any(each["mode"] != "append" for each in access):
            self._grant(f"{name}-{bucket}-list", bucket, _LISTING, None)
        for mode, role in _ROLES.items():
            prefixes = sorted({each["prefix"] for each in access if each["mode"] == mode})
            if not all(prefixes):
                self._grant(f"{name}-{bucket}-{mode}", bucket, role, None)
                continue
            if len(prefixes) > _OF_A_CONDITION * _CONDITIONS:
                raise pulumi.RunError(f"{name}: {len(prefixes)} folders of {bucket} do not fit into IAM's conditions")
            for first in range(0, len(prefixes), _OF_A_CONDITION):
                expression = " || ".join(
                    comparison
                    for prefix in prefixes[first : first + _OF_A_CONDITION]
                    for comparison in comparisons(bucket, prefix)
                )
                self._grant(f"{name}-{bucket}-{mode}-{_hash(expression)}", bucket, role, expression)

    def _grant(self, title: str, bucket: str, role: str, expression: str | None) -> None:
        """Grant a role on a bucket. Titles must be unique, as deleting one of two equal bindings would remove both."""
        condition = (
            storage.BucketIAMMemberConditionArgs(title=f"folders {_hash(expression)}", expression=expression)
            if expression
            else None
        )
        storage.BucketIAMMember(
            title,
            storage.BucketIAMMemberArgs(bucket=bucket, role=role, member=self._member, condition=condition),
            self._within,
        )


def comparisons(bucket: str, prefix: str) -> Iterator[str]:
    """Yield the comparisons that match one folder or file. For example, `lake` doesn't include `lake-2/`.

    A folder's name without the slash is also allowed so that reading it returns 404 instead of 403. Raises RunError for
    a prefix with characters that would end a string in the condition.
    """
    if any(sign in prefix for sign in '"\\\n'):
        raise pulumi.RunError(f"{prefix}: this would end a string in a condition")
    path = f"projects/_/buckets/{bucket}/objects/{prefix.strip('/')}"
    yield f'resource.name == "{path}"'
    yield f'resource.name.startsWith("{path}/")'


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
