"""Rules for an AWS-only field that any store may contain: its key in KMS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.provider import Rule
from modelyard.spec import System
from modelyard_targets.aws.diagnostics import spec as problems


def encryption_keys(system: System) -> Iterator[Diagnostic]:
    """Allow `encryptionKey` only for adopted S3 buckets, with a key in the bucket's region."""
    targets = {target.name: target for target in system.deployment.targets}
    for store in system.stores.values():
        if not store.encryption_key:
            continue
        target, path = targets[store.target], ("stores", store.name, "encryptionKey")
        why = ""
        if target.provider != "aws" or store.endpoint:
            why = "its bucket is on another service"
        elif not store.adopt:
            why = "modelyard creates its bucket, encrypted with the target's own key"
        key_region, region = store.encryption_key.split(":")[3], store.region or target.region
        if why:
            yield problems.encryption_key_of_nothing(system.key(*path), store.name, why)
        elif key_region != region:
            yield problems.key_of_other_region(system.at(*path), store.name, key_region, region)


RULES: Final[tuple[Rule, ...]] = (encryption_keys,)
