"""Evaluates what a member may do, based on registered bindings and the permissions of their roles.

Bindings can only allow. A permission is denied unless a binding on the resource, or on a resource that contains it, has
a role with this permission and a condition that is true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stacks.programs import Registration

TABLE = Path(__file__).with_name("roles.json")

_ROLES: Mapping[str, list[str]] = json.loads(TABLE.read_text(encoding="utf-8"))["roles"]
_COMPARISON = re.compile(r'resource\.name(?: == "([^"\\]+)"|\.startsWith\("([^"\\]+)"\))')
_MOST_OPERATORS = 12

BINDING = "gcp:storage/bucketIAMMember:BucketIAMMember"
_BINDINGS: Mapping[str, Callable[[dict[str, Any]], str]] = {
    BINDING: lambda inputs: bucket(inputs["bucket"]),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": lambda inputs: repository(inputs["repository"]),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": lambda inputs: key(inputs["cryptoKeyId"]),
    "gcp:projects/iAMMember:IAMMember": lambda inputs: PROJECT,
    "gcp:secretmanager/secretIamMember:SecretIamMember": lambda inputs: secret(inputs["secretId"]),
}
_OTHER_POLICY = re.compile(r"iam_?(member|binding|policy)|accessControl|acl\b", re.IGNORECASE)

PROJECT = "projects/_"
"""The name of a program's only project."""

_ON: tuple[tuple[str, str], ...] = (
    (r"storage\.(buckets\..+|objects\.list|multipartUploads\.list)", r"projects/_/buckets/[^/]+"),
    (r"storage\.(objects|multipartUploads)\..+", r"projects/_/buckets/[^/]+/objects/.+"),
    (r"storage\.(folders|managedFolders)\..+", r"projects/_/buckets/[^/]+/(managedFolders|folders)/.+"),
    (r"secretmanager\.versions\..+", r"projects/_/secrets/[^/]+"),
    (r"cloudkms\.cryptoKeyVersions\..+", r"projects/.+/cryptoKeys/[^/]+"),
    (r"artifactregistry\.(?!locations|project).+", r"projects/_/repositories/[^/]+"),
    (r".+", PROJECT),
)
"""Patterns of permissions, with the resources that they apply to. The first pattern that matches a permission applies.

Source: https://docs.cloud.google.com/storage/docs/access-control/iam-json, 2026-11-27.
"""


@dataclass(frozen=True, slots=True)
class Binding:
    """A member's role on a resource and on everything that the resource contains."""

    member: str
    role: str
    on: str
    condition: str | None

    def permissions(self, resource: str) -> Iterator[str]:
        """Yield the permissions that this binding grants on a resource."""
        if (resource + "/").startswith(self.on + "/") and _holds(self.condition, resource):
            yield from (each for each in _ROLES[self.role] if _is_about(each, resource))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and a member whose permissions in the bucket tests examine."""

    policies: tuple[Binding, ...]
    name: str
    member: str

    def may(self, permission: str, path: str = "") -> bool:
        """Return whether the member has a permission on an object or, without a path, on the bucket itself."""
        return permission in allowed(self.policies, self.member, stored(self.name, path) if path else bucket(self.name))

    def bindings(self) -> list[Binding]:
        """Return the member's bindings in the bucket's policy."""
        return [each for each in self.policies if (each.on, each.member) == (bucket(self.name), self.member)]


def bindings(registered: Iterable[Registration]) -> tuple[Binding, ...]:
    """Return the bindings among registrations. Raises an error if any other resource type grants access."""
    return tuple(_bindings(registered))


def allowed(policies: Iterable[Binding], member: str, resource: str) -> frozenset[str]:
    """Return every permission that a member has on the resource itself."""
    return frozenset(
        permission for each in policies if each.member == member for permission in each.permissions(resource)
    )


def permissions(role: str) -> list[str]:
    """Return the permissions of a predefined role."""
    return _ROLES[role]


def bucket(name: str) -> str:
    """Return a bucket's resource name as used in conditions."""
    return f"{PROJECT}/buckets/{name}"


def stored(name: str, path: str) -> str:
    """Return an object's resource name as used in conditions."""
    return f"{bucket(name)}/objects/{path}"


def secret(identifier: str) -> str:
    """Return a secret's resource name."""
    return f"{PROJECT}/secrets/{identifier}"


def key(identifier: str) -> str:
    """Return a key's resource name, given its ID."""
    return re.sub("^projects/[^/]+", PROJECT, identifier)


def repository(identifier: str) -> str:
    """Return the resource name of an image repository."""
    return f"{PROJECT}/repositories/{identifier}"


def _bindings(registered: Iterable[Registration]) -> Iterator[Binding]:
    for each in registered:
        kind, inputs = each["type"], each["inputs"]
        if kind in _BINDINGS:
            condition = inputs["condition"]["expression"] if "condition" in inputs else None
            yield Binding(inputs["member"], inputs["role"], _BINDINGS[kind](inputs), condition)
        else:
            assert not (kind.startswith("gcp:") and _OTHER_POLICY.search(kind)), f"{kind} is not evaluated"


def _is_about(permission: str, resource: str) -> bool:
    about = next(about for pattern, about in _ON if re.fullmatch(pattern, permission))
    return re.fullmatch(about, resource) is not None


def _holds(condition: str | None, resource: str) -> bool:
    """Evaluate comparisons joined by ||. Raises an error for other expressions, which our conditions don't use."""
    if condition is None:
        return True
    parts = condition.split(" || ")
    assert len(parts) - 1 <= _MOST_OPERATORS
    matched = [_COMPARISON.fullmatch(part) for part in parts]
    assert all(matched), condition
    return any(each is not None and (resource == each[1] or _starts(resource, each[2])) for each in matched)


def _starts(resource: str, prefix: str | None) -> bool:
    return prefix is not None and resource.startswith(prefix)
