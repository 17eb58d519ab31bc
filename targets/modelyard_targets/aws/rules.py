"""Rules for AWS-only fields that any target may contain: Secrets Manager and KMS keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.provider import Rule
from modelyard.spec import System, target_path
from modelyard_targets.aws.diagnostics import spec as problems


def secrets_manager(system: System) -> Iterator[Diagnostic]:
    """Allow `secrets-manager` only for clusters in a cloud with its own secrets manager."""
    for target in system.deployment.targets:
        for store in target.secret_stores:
            if store.via == "secrets-manager" != target.secrets_via:
                span = system.at(*target_path(system, target.name), "secretStores", store.name, "via")
                yield problems.secrets_manager_elsewhere(span, store.name, target.name, target.provider)


def encryption_keys(system: System) -> Iterator[Diagnostic]:
    """Allow `encryptionKey` only for an adopted S3 bucket, with a key in the bucket's region."""
    targets = {target.name: target for target in system.deployment.targets}
    for store in system.stores.values():
        if not store.encryption_key:
            continue
        target, path = targets[store.target], ("stores", store.name, "encryptionKey")
        why = ""
        if target.provider != "aws" or store.endpoint:
            why = "its bucket is on another service"
        elif not store.adopt:
            why = "modelyard creates its bucket with the target's key"
        key_region, region = store.encryption_key.split(":")[3], store.region or target.region
        if why:
            yield problems.encryption_key_of_nothing(system.key(*path), store.name, why)
        elif key_region != region:
            yield problems.key_of_other_region(system.at(*path), store.name, key_region, region)


RULES: Final[tuple[Rule, ...]] = (secrets_manager, encryption_keys)
