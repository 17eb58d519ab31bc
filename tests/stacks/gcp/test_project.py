"""Tests the project's provider, APIs and Pod identities."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard_stacks.gcp.project import account_id
from tests.stacks.aws.programs import inputs, of
from tests.stacks.gcp.programs import PROJECT, registered
from tests.stacks.programs import Refused

SERVICE = "gcp:projects/service:Service"
PROVIDER = "pulumi:providers:gcp google"
NAMED = PROJECT.replace('"google",\n', '"google",\n    project_id="acme-other",\n')


def test_resources_are_in_the_configured_project(tmp_path: Path) -> None:
    provider = registered(tmp_path, PROJECT)[PROVIDER]["inputs"]

    assert provider["project"] == provider["billingProject"] == "acme-ml"
    assert provider["region"] == "europe-west4"
    assert provider["defaultLabels"] == '{"modelyard-system": "fraud"}'
    assert provider["userProjectOverride"] == "true"


def test_project_in_the_program_takes_precedence(tmp_path: Path) -> None:
    assert registered(tmp_path, NAMED, "gcp:project: acme-ml")[PROVIDER]["inputs"]["project"] == "acme-other"


def test_error_for_a_missing_project_shows_the_command_to_set_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="pulumi config set gcp:project PROJECT"):
        registered(tmp_path, PROJECT, "gcp:project: ''")


def test_apis_are_enabled_and_never_disabled(tmp_path: Path) -> None:
    resources = registered(tmp_path, PROJECT)

    assert {name: each["inputs"] for name, each in of(resources, SERVICE).items()} == {
        "google-cloudkms": {"service": "cloudkms.googleapis.com", "disableOnDestroy": False},
        "google-compute": {"service": "compute.googleapis.com", "disableOnDestroy": False},
    }


def test_pods_are_identified_by_namespace_and_service_account(tmp_path: Path) -> None:
    program = f"""{PROJECT}
import pulumi

pulumi.ComponentResource("tiny:Names", "names", {{"member": project.pods_of("fraud", "scorer")}})
"""
    assert inputs(registered(tmp_path, program), "tiny:Names", "names") == {
        "member": "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools"
        "/acme-ml.svc.id.goog/subject/ns/fraud/sa/scorer"
    }


@pytest.mark.parametrize(
    "name", ["a", "fraud-prod-main", "fraud-detection-staging-europe-west4", "a-23456789-12345678-x"]
)
def test_account_names_are_valid_and_different(name: str) -> None:
    """Names match the pattern for `accountId` described in IAM's discovery document."""
    first, second = account_id(name, "nodes"), account_id(name, "login")

    assert first != second
    for each in (first, second):
        assert 6 <= len(each) <= 30
        assert each == each.lower()
        assert "--" not in each
        assert each[0].isalpha()
