"""Tests with real requests that an identity can do only what its workload declares.

Two evaluators check the policies that the components register. moto's IAM handles real requests from a real client, by
action and resource. Only `testbed/clouds/aws/authorization` supports conditions and checks bucket policies, secrets,
keys and trust. The two must agree on everything that moto evaluates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.moto.cloud import REGION, Cloud, permitted, running
from tests.moto.rights import allows, denies
from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Resources, inputs, registered

ACCOUNT = "123456789012"
KEY = "arn:aws:kms:::Key/fraud-prod-main"
CLUSTER_ARN = "arn:aws:eks:::Cluster/fraud-prod-main"
PROGRAM = f"""{CLUSTER}
from modelyard_stacks.aws.crossing import Crossing
from modelyard_stacks.aws.identity import Identity
from modelyard_stacks.aws.storage import ObjectStore

ObjectStore("lake", account=account, key=key, bucket="lake", versioned=True, retention_days=None)
access = [
    {{"bucket": "lake", "prefix": "transactions/", "mode": "read", "key": key.arn}},
    {{"bucket": "lake", "prefix": "claims/2026/all.csv", "mode": "read", "key": key.arn}},
    {{"bucket": "lake", "prefix": "scores/", "mode": "write", "key": key.arn}},
]
secrets = ["fraud/pagerduty"]
Identity(
    "retrain", cluster=cluster, key=key, namespace="fraud", service_account="retrain", access=access, secrets=secrets
)
Crossing("till", account=account, access=access, keys=[1])
"""
OBJECTS = (
    ("lake", "transactions/day=1/a.parquet"),
    ("lake", "transactions-raw/a.parquet"),
    ("lake", "transactions.csv"),
    ("lake", "claims/2026/all.csv"),
    ("lake", "claims/2026/all.csv.bak"),
    ("lake", "claims/2026/others.csv"),
    ("lake", "scores/a.parquet"),
    ("lake", "scores-eu/a.parquet"),
    ("lake", "top.parquet"),
    ("other", "transactions/a.parquet"),
    ("other", "scores/a.parquet"),
)


class Attempt(NamedTuple):
    """A request to S3, and whether it must be allowed."""

    action: str
    bucket: str
    key: str
    expected: bool

    @property
    def arn(self) -> str:
        """Return the ARN of the requested object."""
        return f"arn:aws:s3:::{self.bucket}/{self.key}"


READABLE = {
    ("lake", "transactions/day=1/a.parquet"),
    ("lake", "claims/2026/all.csv"),
    ("lake", "scores/a.parquet"),
}
WRITABLE = {("lake", "scores/a.parquet")}
ATTEMPTS = (
    *(Attempt("s3:GetObject", *each, each in READABLE) for each in OBJECTS),
    *(Attempt("s3:PutObject", *each, each in WRITABLE) for each in OBJECTS),
    *(Attempt("s3:DeleteObject", *each, each in WRITABLE) for each in OBJECTS),
    Attempt("s3:PutObject", "lake", "scores/new/b.parquet", True),
    Attempt("s3:PutObject", "lake", "transactions/day=1/b.parquet", False),
    Attempt("s3:GetObjectTagging", "lake", "transactions/day=1/a.parquet", False),
    Attempt("s3:PutObjectTagging", "lake", "scores/a.parquet", False),
)
CALLS: dict[str, Callable[[Any, Attempt], object]] = {
    "s3:GetObject": lambda s3, attempt: s3.get_object(Bucket=attempt.bucket, Key=attempt.key)["Body"].read(),
    "s3:PutObject": lambda s3, attempt: s3.put_object(Bucket=attempt.bucket, Key=attempt.key, Body=b"new"),
    "s3:DeleteObject": lambda s3, attempt: s3.delete_object(Bucket=attempt.bucket, Key=attempt.key),
    "s3:GetObjectTagging": lambda s3, attempt: s3.get_object_tagging(Bucket=attempt.bucket, Key=attempt.key),
    "s3:PutObjectTagging": lambda s3, attempt: s3.put_object_tagging(
        Bucket=attempt.bucket, Key=attempt.key, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    ),
}


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Return the resources that the components register for one workload."""
    return registered(tmp_path_factory.mktemp("rights"), PROGRAM)


@pytest.fixture(scope="module")
def rights(resources: Resources) -> str:
    """Return the policy of the workload's role."""
    return str(inputs(resources, "aws:iam/rolePolicy:RolePolicy", "retrain")["policy"])


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """Run a simulated AWS with the declared buckets, objects and secrets, plus similarly named ones."""
    with running() as simulated:
        s3, secrets = simulated.client("s3"), simulated.client("secretsmanager")
        for bucket in ("lake", "other"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for name in ("fraud/pagerduty", "fraud/pagerduty-eu", "fraud/pagerduty2", "fraud/other"):
            secrets.create_secret(Name=name, SecretString="{}")
        yield simulated


@pytest.fixture(scope="module")
def credentials(cloud: Cloud, resources: Resources, rights: str) -> dict[str, dict[str, str]]:
    """Return credentials for the workload's role and the cross-target user.

    They have exactly the registered policies.
    """
    iam = cloud.client("iam")
    deployer = iam.create_user(UserName="deployer")["User"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": deployer}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="retrain", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName="retrain", PolicyName="retrain", PolicyDocument=rights)
    session = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="pod")["Credentials"]

    iam.create_user(UserName="till")
    crossing = str(inputs(resources, "aws:iam/policy:Policy", "till-1")["policy"])
    policy = iam.create_policy(PolicyName="till-1", PolicyDocument=crossing)["Policy"]["Arn"]
    iam.attach_user_policy(UserName="till", PolicyArn=policy)
    return {"role": session, "user": iam.create_access_key(UserName="till")["AccessKey"]}


@pytest.fixture(autouse=True)
def objects(request: pytest.FixtureRequest) -> None:
    """Restore the objects that an earlier test deleted."""
    if "cloud" in request.fixturenames:
        s3 = request.getfixturevalue("cloud").client("s3")
        for bucket, key in OBJECTS:
            s3.put_object(Bucket=bucket, Key=key, Body=b"old")


@pytest.mark.parametrize("who", ["role", "user"])
def test_only_declared_objects_are_accessible(
    who: str, cloud: Cloud, credentials: dict[str, dict[str, str]], rights: str
) -> None:
    s3 = cloud.client("s3", credentials[who])
    with cloud.enforced():
        tried = {attempt: permitted(partial(CALLS[attempt.action], s3, attempt)) for attempt in ATTEMPTS}

    assert [attempt for attempt, went in tried.items() if went is not attempt.expected] == []
    assert [attempt for attempt, went in tried.items() if went is not allows(rights, attempt.action, attempt.arn)] == []


@pytest.mark.parametrize("who", ["role", "user"])
def test_rest_of_the_account_is_inaccessible(who: str, cloud: Cloud, credentials: dict[str, dict[str, str]]) -> None:
    def client(service: str) -> Any:
        return cloud.client(service, credentials[who])

    s3, iam = client("s3"), client("iam")
    attempts: dict[str, Callable[[], object]] = {
        "list every bucket": s3.list_buckets,
        "list another bucket": lambda: s3.list_objects_v2(Bucket="other", Prefix="transactions/"),
        "read the policy of a bucket": lambda: s3.get_bucket_policy(Bucket="lake"),
        "open a bucket": lambda: s3.delete_public_access_block(Bucket="lake"),
        "delete a bucket": lambda: s3.delete_bucket(Bucket="other"),
        "stop versions": lambda: s3.put_bucket_versioning(
            Bucket="lake", VersioningConfiguration={"Status": "Suspended"}
        ),
        "list secrets": client("secretsmanager").list_secrets,
        "make a user": lambda: iam.create_user(UserName="mine"),
        "widen the own role": lambda: iam.put_role_policy(RoleName="retrain", PolicyName="more", PolicyDocument="{}"),
        "end a machine": lambda: client("ec2").terminate_instances(InstanceIds=["i-0123456789abcdef0"]),
        "list keys": client("kms").list_keys,
    }
    with cloud.enforced():
        went = [name for name, attempt in attempts.items() if permitted(attempt)]

    assert went == []


@pytest.mark.parametrize(
    ("bucket", "prefix", "expected"),
    [
        ("lake", "transactions/", True),
        ("lake", "transactions/day=1/", True),
        ("lake", "scores/", True),
        ("lake", "transactions", False),  # would expose transactions-raw/
        ("lake", "transactions-raw/", False),
        ("lake", "claims/2026/", False),
        ("lake", "", False),
        ("other", "transactions/", False),
    ],
)
def test_only_declared_folders_may_be_listed(bucket: str, prefix: str, expected: bool, rights: str) -> None:
    assert allows(rights, "s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix}) is expected


def test_declared_folder_is_listed(cloud: Cloud, credentials: dict[str, dict[str, str]]) -> None:
    s3 = cloud.client("s3", credentials["role"])

    with cloud.enforced():
        listed = s3.list_objects_v2(Bucket="lake", Prefix="transactions/")["Contents"]

    assert [each["Key"] for each in listed] == ["transactions/day=1/a.parquet"]


def test_listing_without_a_prefix_is_denied(rights: str) -> None:
    assert not allows(rights, "s3:ListBucket", "arn:aws:s3:::lake")
    assert not allows(rights, "s3:ListAllMyBuckets", "*")


def test_only_the_declared_secret_is_readable(cloud: Cloud, rights: str) -> None:
    """Secrets with longer names are denied, even though the declared secret's ARN ends in a random suffix."""
    listed = cloud.client("secretsmanager").list_secrets()["SecretList"]
    arns = {each["Name"]: each["ARN"] for each in listed}

    assert len(arns) == 4
    read = {name for name, arn in arns.items() if allows(rights, "secretsmanager:GetSecretValue", arn)}
    assert read == {"fraud/pagerduty"}
    for action in ("PutSecretValue", "DeleteSecret", "UpdateSecret", "DescribeSecret"):
        assert not allows(rights, f"secretsmanager:{action}", arns["fraud/pagerduty"])


@pytest.mark.parametrize(
    ("action", "key", "service", "where", "expected"),
    [
        ("Decrypt", KEY, "s3", "arn:aws:s3:::lake", True),
        ("Decrypt", KEY, "s3", "arn:aws:s3:::lake/transactions/a", True),
        ("GenerateDataKey", KEY, "s3", "arn:aws:s3:::lake", True),
        ("Decrypt", KEY, "s3", "arn:aws:s3:::other", False),
        ("Decrypt", KEY, "rds", "arn:aws:s3:::lake", False),
        ("Decrypt", "arn:aws:kms:::Key/another", "s3", "arn:aws:s3:::lake", False),
        ("CreateGrant", KEY, "s3", "arn:aws:s3:::lake", False),
        ("ScheduleKeyDeletion", KEY, "s3", "arn:aws:s3:::lake", False),
    ],
)
def test_the_key_is_used_through_s3_for_this_bucket_only(
    action: str, key: str, service: str, where: str, expected: bool, rights: str
) -> None:
    context = {"kms:ViaService": f"{service}.{REGION}.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": where}

    assert allows(rights, f"kms:{action}", key, context) is expected


def test_the_key_is_never_used_directly(rights: str) -> None:
    assert not allows(rights, "kms:Decrypt", KEY)
    assert not allows(rights, "kms:GenerateDataKey", KEY, {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::lake"})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"aws:RequestTag/kubernetes-service-account": "default"}, False),
        ({"aws:RequestTag/kubernetes-namespace": "kube-system"}, False),
        ({"aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/another"}, False),
    ],
)
def test_only_pods_of_the_workload_get_its_role(changed: dict[str, str], expected: bool, resources: Resources) -> None:
    trust = str(inputs(resources, "aws:iam/role:Role", "retrain")["assumeRolePolicy"])
    tags = {
        "aws:RequestTag/eks-cluster-arn": CLUSTER_ARN,
        "aws:RequestTag/kubernetes-namespace": "fraud",
        "aws:RequestTag/kubernetes-service-account": "retrain",
    }

    assert allows(trust, "sts:AssumeRole", context={**tags, **changed}) is expected


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY}, False),
        ({"s3:x-amz-server-side-encryption": "aws:kms"}, True),
        ({"s3:x-amz-server-side-encryption": "AES256"}, True),
        ({"s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": "k"}, True),
    ],
)
def test_bucket_refuses_objects_encrypted_with_another_key(
    headers: dict[str, str], refused: bool, resources: Resources
) -> None:
    bucket = inputs(resources, "aws:s3/bucketPolicy:BucketPolicy", "lake")
    request = ("s3:PutObject", "arn:aws:s3:::lake/scores/a")
    ours = {"aws:SecureTransport": "true", "aws:PrincipalAccount": ACCOUNT, "aws:PrincipalIsAWSService": "false"}

    assert denies(bucket["policy"], *request, {**ours, **headers}) is refused
    assert denies(bucket["policy"], *request, {**ours, **headers, "aws:SecureTransport": "false"})
    assert denies(bucket["policy"], *request, {**ours, **headers, "aws:PrincipalAccount": "999999999999"})
    assert not denies(bucket["policy"], "s3:GetObject", request[1], ours)


def test_read_only_role_cannot_write(cloud: Cloud, tmp_path: Path) -> None:
    program = PROGRAM.replace('"mode": "write"', '"mode": "read"')
    text = str(inputs(registered(tmp_path, program), "aws:iam/rolePolicy:RolePolicy", "retrain")["policy"])
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    iam.put_user_policy(UserName="reader", PolicyName="reader", PolicyDocument=text)
    s3 = cloud.client("s3", iam.create_access_key(UserName="reader")["AccessKey"])
    writing = [attempt for attempt in ATTEMPTS if attempt.action != "s3:GetObject"]

    with cloud.enforced():
        assert [attempt for attempt in writing if permitted(partial(CALLS[attempt.action], s3, attempt))] == []
        assert permitted(partial(s3.get_object, Bucket="lake", Key="claims/2026/all.csv"))
