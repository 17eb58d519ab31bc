"""Tests an AWS target without workloads, which has buckets and their dependencies, but no cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.api import compile_text
from modelyard.emit import emit
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from modelyard_targets.aws.lower import lower, objects
from tests.stacks.programs import registrations
from tests.targets.aws.archive import ARCHIVE
from tests.targets.aws.infrastructure import arguments, calls_by_name, changed, plan_of, programs, refused

VAULT = "vault: {type: object, target: archive, retention: 3650d}"


def readme(text: str = ARCHIVE) -> str:
    (document,) = lower(plan_of(text), "archive").texts
    return document.text()


def test_only_buckets_and_their_dependencies_are_created() -> None:
    components = calls_by_name(ARCHIVE, "archive")

    assert list(components) == [
        "Account archive",
        "Key claims-archive",
        "ObjectStore vault",
        "Crossing plant.score",
        "Budget claims-archive",
    ]
    assert arguments(components["Key claims-archive"]) == {"account": "account", "services": False}


def test_there_are_no_workloads() -> None:
    plan = plan_of(ARCHIVE)
    stack = lower(plan, "archive")

    assert [project.folder for project in stack.projects] == ["infrastructure"]
    assert list(objects(plan, "archive")) == []
    assert TARGETS["aws"].pins(plan, "archive").charts == {}


def test_no_machine_is_counted() -> None:
    """Without a cluster, only KMS keys, stored objects and egress cost money."""
    lines = TARGETS["aws"].lines(plan_of(ARCHIVE), "archive", NO_USAGE)

    assert {line.item for line in lines} == {"key-months", "object-gb-months", "egress-gb"}


def test_key_and_access_keys_are_exported() -> None:
    exported = {export.name for export in programs(ARCHIVE, "archive")["infrastructure"].exports}

    assert exported == {"region", "key_arn", "plant__score_access_key_id_1", "plant__score_secret_access_key_1"}


def test_readme_mentions_no_cluster() -> None:
    text = readme()

    assert "there is no cluster, no network and no machine" in text
    assert not [word for word in ("kubectl", "docker", "cd workloads", "EKS", "namespace") if word in text]
    assert "buckets that it encrypts, claims-vault-" in text
    assert "cost allocation tag" in text
    assert "| in, from plant | `plant:batch-job/score` | `archive:object-store/vault` |" in text


def test_adding_a_workload_creates_a_cluster() -> None:
    count = '  count: {type: custom, inputs: [scores], source: {entrypoint: "a:b"}, compute: small, target: archive}\n'
    components = calls_by_name(changed(("monthly: 50 ", "monthly: 5000 "), text=ARCHIVE) + count, "archive")

    assert {"Network claims-archive", "Cluster claims-archive", "SystemPool system"} <= set(components)


def test_an_adopted_bucket_needs_no_key() -> None:
    text = changed((VAULT, "vault: {type: object, target: archive, adopt: acme-vault}"), text=ARCHIVE)
    components = calls_by_name(text, "archive")

    assert list(components) == ["Account archive", "Crossing plant.score", "Budget claims-archive"]
    assert "key_arn" not in {export.name for export in programs(text, "archive")["infrastructure"].exports}
    assert "The project creates a user for each workload" in readme(text)


def test_target_that_creates_nothing_has_no_project() -> None:
    """A target has no project if its only resource is an adopted bucket used by another AWS target."""
    cloud = "plant: {provider: aws, region: eu-west-1}"
    plant = next(line.strip() for line in ARCHIVE.splitlines() if line.strip().startswith("plant:"))
    text = changed(
        (VAULT, "vault: {type: object, target: archive, adopt: acme-vault}"),
        (plant, cloud),
        ("mode: hybrid", "mode: cloud"),
        ("monthly: 50 ", "monthly: 5000 "),
        ('adopt: claims, endpoint: "http://minio.ml.svc:9000", credentials: "secret://kubernetes/lake"', ""),
        text=ARCHIVE,
    )

    assert lower(plan_of(text), "archive").projects == ()
    assert "Budget claims-plant" in calls_by_name(text, "plant")


@pytest.mark.parametrize(
    "field",
    [
        'version: "1.36"',
        "images: {registry: registry.acme.example}",
        "vpc: {cidr: 10.1.0.0/16}",
        "namespace: claims",
        "vpc: {nat: none}",
    ],
)
def test_cluster_settings_have_no_effect(field: str) -> None:
    line = f"archive: {{provider: aws, region: eu-central-1, {field}}}"
    text = changed(("archive: {provider: aws, region: eu-central-1}", line), text=ARCHIVE)

    assert refused(text) == [f"W0634 {line}"]


def test_no_network_or_cluster_is_registered(tmp_path: Path) -> None:
    """The program registers no network, cluster or database, and its key policy does not cover node disks."""
    for file in emit(lower(plan_of(ARCHIVE), "archive")):
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.render())
    (resources,) = registrations(next(tmp_path.glob("*/*/infrastructure")))
    kinds = {resource["type"] for resource in resources}
    (key,) = [resource for resource in resources if resource["type"] == "aws:kms/key:Key"]

    assert not [kind for kind in kinds if kind.startswith(("aws:ec2", "aws:eks", "aws:rds", "aws:sns"))]
    assert "aws:s3/bucket:Bucket" in kinds
    assert "NodeDisks" not in key["inputs"]["policy"]
    assert "AccountPolicies" in key["inputs"]["policy"]


def test_warning_names_the_first_target_with_a_cluster() -> None:
    """A warning about a missing Prometheus names the first target with a cluster, not the archive."""
    adopted = ARCHIVE.replace("context: plant, ", "context: plant, present: [prometheus], ")
    diagnostics = compile_text(adopted.replace("  budget:", "  retention: {metrics: 30d}\n  budget:")).diagnostics

    (warning,) = (diagnostic for diagnostic in diagnostics if "retention.metrics" in diagnostic.message)
    assert (warning.code, "'plant'" in warning.message, "'archive'" in warning.message) == ("W0634", True, False)
