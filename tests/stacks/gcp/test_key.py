"""Tests that the key is rotated and protected, and usable only by the agents of the listed services."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.gcp.programs import KEY, PROJECT, elsewhere, registered
from tests.stacks.programs import Refused

RING = "gcp:kms/keyRing:KeyRing"
CRYPTO_KEY = "gcp:kms/cryptoKey:CryptoKey"
GRANT = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register the key for a target that uses all services."""
    return registered(tmp_path_factory.mktemp("key"), KEY)


def test_key_is_rotated_and_protected(resources: Resources) -> None:
    assert inputs(resources, CRYPTO_KEY, "fraud-prod-main") == {
        "name": "fraud-prod-main",
        "keyRing": "projects/acme-ml/locations/europe-west4/keyRings/fraud-prod-main",
        "purpose": "ENCRYPT_DECRYPT",
        "rotationPeriod": "7776000s",
        "deletionPolicy": "ABANDON",  # otherwise, backups that outlive the stack could not be restored
    }
    assert resources[f"{CRYPTO_KEY} fraud-prod-main"]["protect"]
    assert resources[f"{RING} fraud-prod-main"]["protect"]
    assert not elsewhere(resources)


def test_the_ring_has_no_fixed_name(resources: Resources) -> None:
    """The ring has no fixed name because Google never deletes key rings and refuses duplicate names."""
    assert inputs(resources, RING, "fraud-prod-main") == {"location": "europe-west4"}
    assert "gcp:projects/service:Service google-cloudkms" in needs(resources, RING, "fraud-prod-main")


def test_each_service_uses_the_key_through_its_own_agent(resources: Resources) -> None:
    grants = {name: each["inputs"] for name, each in of(resources, GRANT).items()}
    members = {name.removeprefix("fraud-prod-main-"): each["member"] for name, each in grants.items()}

    assert {each["role"] for each in grants.values()} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
    assert members == {
        service: f"serviceAccount:{account}.iam.gserviceaccount.com"
        for service, account in {
            "artifactregistry": "service-123456789012@gcp-sa-artifactregistry",
            "compute": "service-123456789012@compute-system",
            "container": "service-123456789012@gcp-sa-container",
            "logging": "cmek-p123456789012@gcp-sa-logging",
            "secretmanager": "service-123456789012@gcp-sa-secretmanager",
            "sqladmin": "service-123456789012@gcp-sa-sqladmin",
            "storage": "service-123456789012@gs-project-accounts",
        }.items()
    }


def test_agents_that_google_creates_on_demand_are_requested(resources: Resources) -> None:
    services = {each["inputs"]["service"] for each in of(resources, IDENTITY).values()}

    assert services == {
        f"{name}.googleapis.com" for name in ("artifactregistry", "container", "secretmanager", "sqladmin")
    }


def test_target_with_only_buckets_grants_the_key_only_to_storage(tmp_path: Path) -> None:
    program = f"""{PROJECT}
from modelyard_stacks.gcp.key import Key

Key("archive", project=project)
"""
    assert list(of(registered(tmp_path, program), GRANT)) == ["archive-storage"]


def test_use_by_a_service_without_access_to_the_key_is_refused(tmp_path: Path) -> None:
    program = f"""{PROJECT}
from modelyard_stacks.gcp.key import Key

Key("archive", project=project).granted("sqladmin")
"""
    with pytest.raises(Refused, match="key archive: sqladmin needs it, but is not among its services"):
        registered(tmp_path, program)


def test_an_unknown_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="the service agents of redis are unknown"):
        registered(tmp_path, KEY.replace('"sqladmin"', '"redis"'))


def test_setting_turns_protection_off(tmp_path: Path) -> None:
    resources = registered(tmp_path, KEY, "protect: false")

    assert not resources[f"{CRYPTO_KEY} fraud-prod-main"]["protect"]
    assert not resources[f"{RING} fraud-prod-main"]["protect"]
