"""Runs workloads under their Pod identities in a simulated AWS account.

The account has the system's buckets, KMS keys and IAM roles.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from mlflow.store.artifact import s3_artifact_repo

from testbed.clouds.aws.authorization.cloud import guarded_cloud
from testbed.clouds.aws.authorization.guard import Guard

GOLDEN = Path(__file__).parents[1] / "golden"
REGION = "eu-central-1"
_ROLE, _RIGHTS, _KEY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy", "aws:kms/key:Key"
_BUCKET_POLICY, _POLICY = "aws:s3/bucketPolicy:BucketPolicy", "aws:iam/policy:Policy"
_ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
_TAG = "aws:RequestTag/"


@dataclass(frozen=True, slots=True)
class Pod:
    """A workload's Pod on a cluster, including its mounted description and its AWS role or user."""

    system: str
    identity: str
    description: str
    path: Path

    def __str__(self) -> str:
        return f"{self.system} {self.description.removesuffix('-description')}"

    def workload(self) -> dict[str, Any]:
        """Return the workload's mounted description."""
        maps = [document for document in _documents(self.path) if document["metadata"]["name"] == self.description]
        description: dict[str, Any] = json.loads(maps[0]["data"]["workload.json"])
        return description


def pods() -> Iterator[Pod]:
    """Yield every workload in the AWS systems with its AWS role, or its AWS user if it runs elsewhere."""
    for file in sorted((GOLDEN / "policies").glob("*.json")):
        known_names = _names(json.loads(file.read_text()))
        for path in sorted((GOLDEN / file.stem).glob("*/workloads/manifests/*.yaml")):
            target = path.parents[2].name
            accounts = [entry["metadata"]["name"] for entry in _documents(path) if entry["kind"] == "ServiceAccount"]
            identities = [entry for name in accounts for entry in (name, f"{target}.{name}") if entry in known_names]
            for entry in _documents(path):
                text = entry.get("data", {}).get("workload.json", "{}") if entry["kind"] == "ConfigMap" else "{}"
                if identities and "stores" in json.loads(text):
                    yield Pod(file.stem, identities[0], entry["metadata"]["name"], path)


class Account:
    """A system's emitted resources, created in moto behind a guard that enforces policies."""

    def __init__(self, moto: str, guard: Guard, system: str) -> None:
        self._moto = moto
        self.guard = guard
        self._keys: dict[str, str] = {}
        self._endpoint = ""
        text = (GOLDEN / "policies" / f"{system}.json").read_text()
        for project in json.loads(text).values():
            self._make(project, [pod for pod in pods() if pod.system == system])

    def client(self, service: str) -> Any:
        """Return a client that is not restricted by any policy."""
        keys = {"aws_access_key_id": "deployer", "aws_secret_access_key": "deployer"}
        return boto3.client(service, endpoint_url=self._moto, region_name=REGION, **keys)

    @contextmanager
    def running(self, pod: Pod, folder: Path) -> Generator[dict[str, Any]]:
        """Yield a Pod's description, including a working registry and stores that use the Pod's credentials."""
        description = pod.workload()
        with pytest.MonkeyPatch.context() as patch:
            credentials = self._credentials(pod)
            for name, value in credentials.items():
                patch.setenv(name, value)
            opened = {"accessKeyIdEnv": "AWS_ACCESS_KEY_ID", "secretAccessKeyEnv": "AWS_SECRET_ACCESS_KEY"}
            description["stores"] = {
                name: {**store, "endpoint": self.guard.endpoint, **opened}
                for name, store in description["stores"].items()
            }
            if "registry" in description:
                description["registry"] = {**description["registry"], "uri": f"file://{folder}/registry"}
            patch.setattr(boto3, "DEFAULT_SESSION", None)  # the session caches the previous Pod's credentials
            s3_artifact_repo._cached_get_s3_client.cache_clear()  # pyright: ignore[reportPrivateUsage] # no public way
            yield description

    def _credentials(self, pod: Pod) -> dict[str, str]:
        iam = self.client("iam")
        if pod.identity in {user["UserName"] for user in iam.list_users()["Users"]}:
            for old in iam.list_access_keys(UserName=pod.identity)["AccessKeyMetadata"]:
                iam.delete_access_key(UserName=pod.identity, AccessKeyId=old["AccessKeyId"])
            credentials = iam.create_access_key(UserName=pod.identity)["AccessKey"]
        else:
            trust = iam.get_role(RoleName=pod.identity)["Role"]["AssumeRolePolicyDocument"]
            (statement,) = trust["Statement"]
            tags = {key.removeprefix(_TAG): value for key, value in statement["Condition"]["StringEquals"].items()}
            credentials = self.guard.authorizer.pod_session(pod.identity, tags, self._endpoint)
        return {
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        }

    def _make(self, project: dict[str, Any], workloads: list[Pod]) -> None:
        iam, kms, s3 = self.client("iam"), self.client("kms"), self.client("s3")
        for name, policy in project.get(_KEY, {}).items():
            arn = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
            self._keys[f"arn:aws:kms:::Key/{name}"] = arn
        policies = {each["Statement"][0]["Resource"][0]: each for each in project.get(_BUCKET_POLICY, {}).values()}
        for bucket in sorted(
            {entry["uri"].split("/")[2] for pod in workloads for entry in pod.workload()["stores"].values()}
        ):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            if policy := policies.get(f"arn:aws:s3:::{bucket}"):
                (key,) = self._keys.values()
                default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
                rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
                s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
                s3.put_bucket_policy(Bucket=bucket, Policy=self._real(policy))
        for name, rights in project.get(_RIGHTS, {}).items():
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(project[_ROLE][name]))
            iam.put_role_policy(RoleName=name, PolicyName=name, PolicyDocument=self._real(rights))
        for name, rights in project.get(_POLICY, {}).items():
            user = name.rpartition("-")[0]
            arn = iam.create_policy(PolicyName=name, PolicyDocument=self._real(rights))["Policy"]["Arn"]
            if user not in {entry["UserName"] for entry in iam.list_users()["Users"]}:
                iam.create_user(UserName=user)
            iam.attach_user_policy(UserName=user, PolicyArn=arn)

        for policy in (each for name, each in project.get(_ENDPOINT, {}).items() if name.endswith("-s3")):
            self._endpoint = self._endpoint_of(json.dumps(policy))

    def _endpoint_of(self, policy: str) -> str:
        """Create the VPC endpoint that Pods use to access S3."""
        ec2 = self.client("ec2")
        network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        service = f"com.amazonaws.{REGION}.s3"
        response = ec2.create_vpc_endpoint(VpcId=network, ServiceName=service, PolicyDocument=policy)
        return str(response["VpcEndpoint"]["VpcEndpointId"])

    def _real(self, policy: Any) -> str:
        """Replace KMS key names in a policy document with the ARNs of this account's keys."""
        text = json.dumps(policy)
        for name, arn in self._keys.items():
            text = text.replace(name, arn)
        return text


@contextmanager
def account(system: str) -> Generator[Account]:
    """Create an account with only the resources emitted for a system."""
    with guarded_cloud(REGION) as (moto, guard):
        yield Account(moto, guard, system)


def _names(projects: dict[str, Any]) -> set[str]:
    """Return the names of the IAM users and roles that have permissions. User policies are named after the user."""
    names: set[str] = set()
    for project in projects.values():
        names |= set(project.get(_RIGHTS, {})) | {name.rpartition("-")[0] for name in project.get(_POLICY, {})}
    return names


def _documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]
