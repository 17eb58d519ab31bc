"""Tests that code shared by targets names no provider, with a few exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import modelyard_targets

ROOT = Path(modelyard_targets.__path__[0])
SHARED = ("machines", "kube", "cloud")

WORD = re.compile(
    r"(?<![a-z0-9])(aws|amazon|ec2|eks|ebs|rds|s3|gcp|gke|gcs|google|azure|aks|abfss?|amazonaws)(?![a-z0-9])",
    re.IGNORECASE,
)

ALLOWED = {
    "kube/storage/s3.py": "a protocol that many services speak, with the variables that its libraries read",
    "kube/storage/gcs.py": "a protocol, and where its authentication is described",
    "kube/storage/azure.py": "a protocol, and where its addresses are described",
    "kube/storage/clouds.py": "the table of which cloud's buckets speak which protocol",
    "kube/storage/federation.py": "how each cloud takes tokens of other issuers, and the variables its libraries read",
    "kube/storage/buckets.py": "a store with an endpoint speaks S3; what a URI looks like",
    "kube/placement/fixed.py": "the name that Ray gives a port of its own",
    "kube/network/policies.py": "the address at which one cloud serves credentials is kept closed on every cluster",
    "kube/checks/reserved.py": "names that one managed PostgreSQL refuses, so that a spec can move there",
    "kube/checks/settings.py": "the words of a diagnostic about keys to buckets of the one cloud that makes such keys",
    "kube/monitoring/runbooks.py": "the log lines of a login to a managed database, as its operator sees them",
    "kube/monitoring/slo_rules.py": "the address of a source",
    "kube/readme/templates/state.md.j2": "where Pulumi may keep its state, as its command line writes it",
}
"""Files that may name providers, each with the reason. Data files are not checked."""


def provider_mentions() -> Iterator[tuple[str, str]]:
    """Yield each mention of a provider in shared code and the file that contains it."""
    for package in SHARED:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in {".py", ".j2"}:
                for match in WORD.finditer(path.read_text(encoding="utf-8")):
                    yield path.relative_to(ROOT).as_posix(), match[0]


def test_shared_code_names_no_provider() -> None:
    assert [(path, word) for path, word in provider_mentions() if path not in ALLOWED] == []


def test_every_exception_is_still_needed() -> None:
    assert sorted({path for path, _ in provider_mentions()} & ALLOWED.keys()) == sorted(ALLOWED)


def test_provider_names_are_found_in_any_spelling() -> None:
    words = ("AWS_REGION", "s3://a", "modelyard_targets.aws", "Azure", "a gke cluster", "m.amazonaws.com")

    assert all(WORD.search(word) for word in words)
    assert not WORD.search("laws of weeks, words, tasks, breaks, s3d")
