"""Tests who may read a database's master login, and where the application's login is stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Resources, elsewhere, inputs, policy, registered

MASTER = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-1-abcdef"
OWN = "arn:aws:secretsmanager:::Secret/runs"
KEY_ARN = "arn:aws:kms:::Key/fraud-prod-main"
PROGRAM = f"""{CLUSTER}
from modelyard_stacks.aws.database import Database
from modelyard_stacks.aws.login import DatabaseLogin

database = Database(
    "runs",
    account=account,
    key=key,
    network=network,
    cluster=cluster,
    database="runs",
    storage_gib=20,
    machine="db.t4g.small",
    version="18",
    replicas=False,
    backup_days=7,
)
DatabaseLogin(
    "runs",
    account=account,
    key=key,
    cluster=cluster,
    database=database,
    namespace="fraud",
    service_account="login-runs",
)
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a database with its login."""
    return registered(tmp_path_factory.mktemp("login"), PROGRAM)


@pytest.fixture(scope="module")
def rights(resources: Resources) -> dict[str, dict[str, Any]]:
    """Return the statements of the login's role, keyed by Sid."""
    return policy(inputs(resources, "aws:iam/rolePolicy:RolePolicy", "runs-login")["policy"])


def test_secret_is_encrypted_and_named_after_the_instance(resources: Resources) -> None:
    """The instance name can be reused immediately, because deleted secrets have no recovery window."""
    secret = inputs(resources, "aws:secretsmanager/secret:Secret", "runs")

    assert secret["name"] == "fraud-prod-main-runs-login"
    assert secret["kmsKeyId"] == KEY_ARN
    assert secret["recoveryWindowInDays"] == 0
    assert not elsewhere(resources)


def test_role_reads_both_logins_and_writes_only_its_own(rights: dict[str, dict[str, Any]]) -> None:
    assert set(rights) == {"ReadSecrets", "DecryptSecrets", "FindInstance", "WriteLogin", "EncryptLogin"}
    assert rights["ReadSecrets"]["Resource"] == [MASTER, OWN]
    assert rights["WriteLogin"]["Action"] == "secretsmanager:PutSecretValue"
    assert rights["WriteLogin"]["Resource"] == OWN
    assert rights["EncryptLogin"]["Condition"]["StringLike"] == {"kms:EncryptionContext:SecretARN": OWN}
    assert rights["FindInstance"]["Resource"] == "arn:aws:rds:eu-central-1:123456789012:db:fraud-prod-main-runs"


def test_role_is_for_one_service_account(resources: Resources) -> None:
    association = inputs(resources, "aws:eks/podIdentityAssociation:PodIdentityAssociation", "runs-login")

    assert (association["namespace"], association["serviceAccount"]) == ("fraud", "login-runs")
