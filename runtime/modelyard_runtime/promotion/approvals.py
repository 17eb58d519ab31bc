"""Approvals, which are statements signed by people and contain the digest of the approved files.

An approval is stored in a tag of the version. Anyone can write the tag, but only signatures by listed keys count.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from modelyard_runtime.promotion.sshsig import NotSigned, fingerprint, key_of, signature_of, verify
from modelyard_runtime.workload.records import Approvals, Promotion, Workload

APPROVAL_TAG = "modelyard.approval."
BESIDE_SPEC = "an approval beside the spec"
NAMESPACE = "approval@modelyard.dev"
"""The purpose of the signature (`ssh-keygen -Y sign -n`). Signatures for other purposes are not approvals."""

KIND = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Approval", "action": "promote"}
_LONGEST = 20_000
_log = logging.getLogger(__name__)


class _Elsewhere(NotSigned):
    """A signed statement about something other than the version in question."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A valid approval, with its group, the key's fingerprint and the signed statement."""

    group: str
    key: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A version's valid approvals, how many are missing, and why others don't count."""

    approvals: tuple[Approval, ...]
    missing: int
    groups: tuple[str, ...]  # groups whose approval is missing
    refused: tuple[str, ...]

    @property
    def evidence(self) -> dict[str, str]:
        """Return the signed statements by group, to be recorded when the alias moves."""
        return {approval.group: approval.evidence for approval in self.approvals}


def subject(workload: Workload, promotion: Promotion, digest: str) -> dict[str, str]:
    """Return the statement an approval must sign, which is only valid for its environment and alias."""
    return {
        **KIND,
        "system": workload.system,
        "environment": workload.environment,
        "model": promotion.model.registered_name,
        "alias": promotion.promote_to,
        "digest": digest,
    }


def standing(workload: Workload, promotion: Promotion, tags: Mapping[str, str], digest: str) -> Standing:
    """Check a version's approvals for the given digest, counting each group and each key only once."""
    policy = promotion.approvals
    keys, expected = _keys(policy), subject(workload, promotion, digest)
    approvals: dict[str, Approval] = {}
    used: set[bytes] = set()
    refused: list[str] = []
    for tag, content in _written(policy, tags):
        if any(item.evidence == content for item in approvals.values()):
            continue
        try:
            key = signer(content, expected)
            group = next(
                (group for group, group_keys in keys.items() if key in group_keys and group not in approvals), ""
            )
            if key in used or not group:
                raise NotSigned(f"{fingerprint(key)} is not a key of a group that may still approve")
        except NotSigned as problem:
            if tag != BESIDE_SPEC or not isinstance(problem, _Elsewhere):  # files next to the spec are for all versions
                refused.append(f"{tag} does not count: {problem}")
            continue
        used.add(key)
        approvals[group] = Approval(group, fingerprint(key), content)
    missing = 0 if policy is None else max(policy.minimum - len(approvals), 0)
    return Standing(
        tuple(approvals.values()), missing, tuple(item for item in keys if item not in approvals), tuple(refused)
    )


def signer(evidence: str, expected: Mapping[str, str]) -> bytes:
    """Return the key that signed exactly the expected statement. Raises NotSigned if there is none."""
    try:
        document = json.loads(evidence[:_LONGEST])
        statement, signature = document["statement"], document["signature"]
        claims = json.loads(statement)
        wrong = [name for name, value in expected.items() if claims.get(name) != value]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotSigned("it is not a signed statement") from None
    if not isinstance(statement, str) or not isinstance(signature, str):
        raise NotSigned("it is not a signed statement")
    if wrong:
        raise _Elsewhere(f"it is about another {wrong[0]}: {str(claims.get(wrong[0]))[:80]!r}")
    parsed = signature_of(signature)
    verify(statement.encode("utf-8", "surrogatepass"), parsed, NAMESPACE)
    return parsed.key


def _written(policy: Approvals | None, tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return possible approvals and where they come from, i.e. the version's tags or files next to the spec."""
    if policy is None:
        return []
    beside_version = [(tag, content) for tag, content in sorted(tags.items()) if tag.startswith(APPROVAL_TAG)]
    return [*beside_version, *((BESIDE_SPEC, content) for content in policy.given)]


def _keys(policy: Approvals | None) -> dict[str, set[bytes]]:
    """Return each group's valid keys. Invalid keys approve nothing and don't affect others."""
    if policy is None:
        return {}
    lines = {name: policy.groups[name].ssh_keys if name in policy.groups else () for name in policy.from_}
    parsed = {name: [_key(name, line) for line in keys] for name, keys in lines.items()}
    return {name: {key for key in keys if key is not None} for name, keys in parsed.items()}


@cache
def _key(group: str, line: str) -> bytes | None:
    """Parse a key from the description. If it's invalid, logs a warning and returns None."""
    try:
        return key_of(line)
    except NotSigned as problem:
        _log.warning("ignoring a key of %s that may approve: %s", group, problem)
        return None
