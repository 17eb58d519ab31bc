"""Workload identities: rights of the Pods of one ServiceAccount, with exactly the access that a spec names."""

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
"""Lists the names of objects and reads the bucket's own settings; it opens no object."""

_OF_A_CONDITION = 6
_CONDITIONS = 20
"""Folders whose two comparisons fit into the 12 operators of a condition, and bindings of one role and member.

Source: https://docs.cloud.google.com/iam/quotas, 2026-11-27.
"""


class StoreAccess(TypedDict):
    """Access to one folder or file of a bucket; an empty prefix means the whole bucket.

    `write` includes `read` and deletion; `append` adds objects and can neither read nor delete. A prefix that ends with
    a slash is a folder; any other may be a folder or a file.
    """

    bucket: str
    prefix: str
    mode: Mode


class Identity(pulumi.ComponentResource):
    """The rights of one workload: those of the Pods of its ServiceAccount, which needs no key and no annotation.

    Objects can be opened only below the prefixes of `access`. Whoever reads or writes can list the names of all objects
    in the bucket: Google judges a listing by the bucket, and answers for a missing object as if it were forbidden
    unless the caller may list. `stores` are the buckets of `access` that the program makes.
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
            raise pulumi.RunError(f"{name}: an identity that may do nothing is not needed")
        self.member = cluster.project.pods_of(namespace, service_account)
        # the pool of identities comes with the first cluster of a project
        self._within = pulumi.ResourceOptions(parent=self, depends_on=[*cluster.ready, *stores])
        for bucket in dict.fromkeys(each["bucket"] for each in access):
            self._open(name, bucket, [each for each in access if each["bucket"] == bucket])
        self.register_outputs({"member": self.member})

    def _open(self, name: str, bucket: str, access: Sequence[StoreAccess]) -> None:
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
        """The name of a grant says all that it grants: two of one name would be one binding, which ends with either."""
        condition = (
            storage.BucketIAMMemberConditionArgs(title=f"folders {_hash(expression)}", expression=expression)
            if expression
            else None
        )
        storage.BucketIAMMember(
            title,
            storage.BucketIAMMemberArgs(bucket=bucket, role=role, member=self.member, condition=condition),
            self._within,
        )


def comparisons(bucket: str, prefix: str) -> Iterator[str]:
    """Comparisons that hold for one folder or file: `lake` does not include `lake-2/`, though it starts the same.

    Also for a folder the name without a slash may be asked for: that nothing has this name is a 404 and not a 403.
    Raises RunError for a prefix with signs that end a text in a condition.
    """
    if any(sign in prefix for sign in '"\\\n'):
        raise pulumi.RunError(f"{prefix}: in a condition this would not be a text")
    path = f"projects/_/buckets/{bucket}/objects/{prefix.strip('/')}"
    yield f'resource.name == "{path}"'
    yield f'resource.name.startsWith("{path}/")'


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
