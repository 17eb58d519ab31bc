"""Tests a target's resources besides its cluster and data: images, secrets, logs, alarms and the budget."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.gcp.programs import CLUSTER, EVERYTHING, NETWORK, PROJECT, elsewhere, registered
from tests.stacks.gcp.roles import permissions
from tests.stacks.programs import Refused

REPOSITORY = "gcp:artifactregistry/repository:Repository"
PULL = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
READ = "gcp:secretmanager/secretIamMember:SecretIamMember"
LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"
ALARM = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
BUDGET = "gcp:billing/budget:Budget"
KEY_NAME = "projects/acme-ml/locations/europe-west4/keyRings/fraud-prod-main/cryptoKeys/fraud-prod-main"
POOL = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/acme-ml.svc.id.goog"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a project with all components."""
    return registered(tmp_path_factory.mktemp("everything"), EVERYTHING)


def test_everything_belongs_to_the_project(resources: Resources) -> None:
    assert not elsewhere(resources)


def test_tags_are_immutable_and_images_are_encrypted(resources: Resources) -> None:
    repository = inputs(resources, REPOSITORY, "fraud-prod-main")

    assert repository["format"] == "DOCKER"
    assert repository["kmsKeyName"] == KEY_NAME
    assert repository["dockerConfig"] == {"immutableTags": True}
    assert repository["cleanupPolicies"] == [
        {"id": "untagged", "action": "DELETE", "condition": {"tagState": "UNTAGGED", "olderThan": "1209600s"}}
    ]
    assert repository["cleanupPolicyDryRun"] is False
    assert resources[f"{REPOSITORY} fraud-prod-main"]["protect"]


def test_nodes_may_only_pull_from_this_repository(resources: Resources) -> None:
    binding = inputs(resources, PULL, "fraud-prod-main-nodes")
    nodes = inputs(resources, "gcp:serviceaccount/account:Account", "fraud-prod-main-nodes")["accountId"]

    assert binding["repository"] == "fraud-prod-main"
    assert binding["member"] == f"serviceAccount:{nodes}@acme-ml.iam.gserviceaccount.com"
    assert "artifactregistry.repositories.downloadArtifacts" in permissions(binding["role"])
    assert not any(each.endswith((".uploadArtifacts", ".delete", ".create")) for each in permissions(binding["role"]))


def test_image_host_is_known_before_the_first_run(tmp_path: Path) -> None:
    program = f"""{CLUSTER}
import pulumi
from modelyard_stacks.gcp.images import ImageRegistry

images = ImageRegistry("fraud-prod-main", project=project, key=key, cluster=cluster, repository="fraud-prod-main")
pulumi.ComponentResource("tiny:Names", "names", {{"host": images.host}})
"""
    assert inputs(registered(tmp_path, program), "tiny:Names", "names") == {
        "host": "europe-west4-docker.pkg.dev/acme-ml/fraud-prod-main"
    }


def test_external_secrets_reads_named_secrets_and_lists_none(resources: Resources) -> None:
    grants = {name: each["inputs"] for name, each in of(resources, READ).items()}

    assert {each["secretId"] for each in grants.values()} == {"slack-webhook", "runs-login"}
    assert {each["member"] for each in grants.values()} == {f"{POOL}/subject/ns/external-secrets/sa/external-secrets"}
    (role,) = {each["role"] for each in grants.values()}
    assert [each for each in permissions(role) if each.startswith("secretmanager.")] == [
        "secretmanager.versions.access"
    ]
    assert "gcp:container/cluster:Cluster fraud-prod-main" in needs(resources, READ, "external-secrets-slack-webhook")


def test_secrets_reader_without_secrets_is_refused(tmp_path: Path) -> None:
    program = f"""{PROJECT}
from modelyard_stacks.gcp.adopted import AdoptedCluster
from modelyard_stacks.gcp.platform import SecretsReader

cluster = AdoptedCluster("main", project=project, cluster_name="main")
SecretsReader("external-secrets", cluster=cluster, namespace="external-secrets", service_account="external-secrets")
"""
    with pytest.raises(Refused, match="a reader needs at least one secret"):
        registered(tmp_path, program)


def test_logs_are_encrypted_and_have_limited_retention(resources: Resources) -> None:
    log_bucket = inputs(resources, LOGS, "fraud-prod-main")

    assert log_bucket["retentionDays"] == 90
    assert log_bucket["cmekSettings"] == {"kmsKeyName": KEY_NAME}
    assert log_bucket["location"] == "europe-west4"
    assert log_bucket["bucketId"] == "fraud-prod-main"  # the name of the key ring, which has a suffix in the real cloud
    assert "gcp:kms/keyRing:KeyRing fraud-prod-main" in needs(resources, LOGS, "fraud-prod-main")
    assert "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember fraud-prod-main-logging" in needs(
        resources, LOGS, "fraud-prod-main"
    )


def test_log_lines_are_stored_only_in_this_bucket(resources: Resources) -> None:
    sink, exclusion = (inputs(resources, kind, "fraud-prod-main") for kind in (SINK, EXCLUSION))

    assert sink["destination"] == (
        "logging.googleapis.com/projects/acme-ml/locations/europe-west4/buckets/fraud-prod-main"
    )
    assert sink["filter"] == exclusion["filter"]
    assert sink["filter"] == (
        'resource.labels.cluster_name="fraud-prod-main" OR (log_id("compute.googleapis.com/vpc_flows")'
        ' AND resource.labels.subnetwork_name="fraud-prod-main")'
    )
    assert f"{SINK} fraud-prod-main" in needs(resources, EXCLUSION, "fraud-prod-main")


def test_flow_logs_are_not_routed_if_disabled(tmp_path: Path) -> None:
    program = f"""{NETWORK.replace("nat=True", "nat=True, log_flows=False")}
from modelyard_stacks.gcp.logs import ClusterLogs

ClusterLogs("fraud-prod-main", project=project, key=key, network=network, days=30)
"""
    assert inputs(registered(tmp_path, program), SINK, "fraud-prod-main")["filter"] == (
        'resource.labels.cluster_name="fraud-prod-main"'
    )


def test_database_and_nat_gateway_have_alarms(resources: Resources) -> None:
    conditions = {name: each["inputs"]["conditions"][0] for name, each in of(resources, ALARM).items()}
    limits = {
        name: each["conditionThreshold"]["thresholdValue"]
        for name, each in conditions.items()
        if "conditionThreshold" in each
    }

    assert limits == {"runs-storage": 0.85, "runs-cpu": 0.8, "runs-connections": 320, "fraud-prod-main-nat": 0}
    assert conditions["runs-silent"]["conditionAbsent"]["duration"] == "900s"
    watched = [each.get("conditionThreshold") or each["conditionAbsent"] for each in conditions.values()]
    assert sum('resource.labels.database_id="acme-ml:runs"' in each["filter"] for each in watched) == 4
    assert sum('resource.labels.gateway_name="fraud-prod-main"' in each["filter"] for each in watched) == 1


def test_alarms_notify_the_owner_by_mail(resources: Resources) -> None:
    channels = {name: each["inputs"]["labels"] for name, each in of(resources, CHANNEL).items()}

    assert channels["fraud-prod-main-team@acme.example"] == {"email_address": "team@acme.example"}
    assert all(
        each["inputs"]["notificationChannels"] == ["projects/acme-ml/notificationChannels/1"]
        for each in of(resources, ALARM).values()
    )


def test_budget_covers_the_system_and_warns_before_it_is_spent(resources: Resources) -> None:
    budget = inputs(resources, BUDGET, "fraud-prod-main")

    assert budget["billingAccount"] == "0A1B2C-3D4E5F-6A7B8C"  # the billing account of the project
    assert budget["amount"] == {"specifiedAmount": {"currencyCode": "USD", "units": "2000"}}
    assert budget["budgetFilter"] == {
        "projects": ["projects/123456789012"],
        "labels": {"modelyard-system": "fraud"},
        "calendarPeriod": "MONTH",
    }
    assert [(each["spendBasis"], each["thresholdPercent"]) for each in budget["thresholdRules"]] == [
        ("CURRENT_SPEND", 0.8),
        ("CURRENT_SPEND", 1),
        ("FORECASTED_SPEND", 1),
    ]
    assert budget["allUpdatesRule"] == {"monitoringNotificationChannels": ["projects/acme-ml/notificationChannels/1"]}


def test_budget_may_cover_all_projects_of_the_account(tmp_path: Path) -> None:
    program = f"""{PROJECT}
from modelyard_stacks.gcp.budget import Budget

Budget("main", project=project, monthly=1, system="fraud", emails=["team@acme.example"], every_project=True)
"""
    budget = inputs(registered(tmp_path, program), BUDGET, "main")

    assert budget["budgetFilter"] == {"labels": {"modelyard-system": "fraud"}, "calendarPeriod": "MONTH"}


@pytest.mark.parametrize("count", [0, 6])
def test_budget_with_no_or_too_many_addresses_is_refused(count: int, tmp_path: Path) -> None:
    emails = [f"{number}@acme.example" for number in range(count)]
    program = f"""{PROJECT}
from modelyard_stacks.gcp.budget import Budget

Budget("main", project=project, billing_account="A", monthly=1, system="fraud", emails={emails})
"""
    with pytest.raises(Refused, match=f"a budget notifies 1 to 5 addresses, not {count}"):
        registered(tmp_path, program)
