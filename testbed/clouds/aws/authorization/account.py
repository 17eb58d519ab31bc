"""Reads the parts of a moto account that affect authorization: policies, bucket keys, and access key owners."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from testbed.clouds.aws.authorization.decide import Policies, Principal
from testbed.clouds.aws.authorization.language import Policy, parse

_DEPLOYER = "loopback"


class Account:
    """Reads an account through moto's own API using the deployer's credentials, and caches the results."""

    def __init__(self, endpoint: str, region: str) -> None:
        self.region = region
        self._endpoint = endpoint
        self._session = botocore.session.Session()
        self._clients: dict[str, Any] = {}
        self.number = str(self.client("sts").get_caller_identity()["Account"])

    def client(self, service: str) -> Any:
        """Return a botocore client for a service, using credentials that no policy applies to."""
        if service not in self._clients:
            self._clients[service] = self._session.create_client(
                service,
                region_name=self.region,
                endpoint_url=self._endpoint,
                aws_access_key_id=_DEPLOYER,
                aws_secret_access_key=_DEPLOYER,
                config=Config(s3={"addressing_style": "path"}),
            )
        return self._clients[service]

    def role_policies(self, role: str) -> tuple[tuple[Policy, ...], Policy | None]:
        """Return the policies of a role and its permissions boundary."""
        iam = self.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        inline = [(name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names]
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        boundary = iam.get_role(RoleName=role)["Role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return self._all(inline, attached), self._managed(boundary, "permissions boundary") if boundary else None

    def user_policies(self, user: str) -> tuple[Policy, ...]:
        """Return a user's policies."""
        iam = self.client("iam")
        names = iam.list_user_policies(UserName=user)["PolicyNames"]
        inline = [(name, iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"]) for name in names]
        return self._all(inline, iam.list_attached_user_policies(UserName=user)["AttachedPolicies"])

    @cache  # noqa: B019 - an account lives as long as its guard
    def user_of(self, access_key: str) -> Principal | None:
        """Return the user that owns the given access key, or None."""
        iam = self.client("iam")
        for user in iam.list_users()["Users"]:
            keys = iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
            if any(each["AccessKeyId"] == access_key for each in keys):
                return Principal(user["Arn"], self.number)
        return None

    @cache  # noqa: B019 - an account lives as long as its guard
    def policies_of(self, principal: Principal) -> Policies:
        """Return the policies attached to a role or a user."""
        name = principal.arn.rpartition("/")[2]
        if not principal.session:
            return Policies(self.user_policies(name))
        identity, boundary = self.role_policies(name)
        return Policies(identity, boundary=boundary)

    @cache  # noqa: B019 - an account lives as long as its guard
    def trust(self, role: str) -> Policy:
        """Return a role's trust policy."""
        return parse("trust policy", self.client("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])

    @cache  # noqa: B019 - an account lives as long as its guard
    def bucket_policy(self, bucket: str) -> Policy | None:
        """Return a bucket's policy, or None."""
        try:
            return parse("resource-based policy", self.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
        except ClientError as problem:
            if problem.response["Error"]["Code"] in ("NoSuchBucketPolicy", "NoSuchBucket"):
                return None
            raise

    @cache  # noqa: B019 - an account lives as long as its guard
    def bucket_key(self, bucket: str) -> tuple[str, bool] | None:
        """Return a bucket's KMS key and whether S3 Bucket Keys are enabled, or None if it uses S3's own keys."""
        try:
            encryption = self.client("s3").get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        except ClientError as problem:
            if problem.response["Error"]["Code"] in ("ServerSideEncryptionConfigurationNotFoundError", "NoSuchBucket"):
                return None
            raise
        (rule,) = encryption["Rules"]
        key = rule["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        return (str(key), bool(rule.get("BucketKeyEnabled"))) if key else None

    @cache  # noqa: B019 - an account lives as long as its guard
    def key_policy(self, key: str) -> Policy:
        """Return a KMS key's policy."""
        text = self.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        return parse("resource-based policy", text)

    @cache  # noqa: B019 - an account lives as long as its guard
    def endpoint_policy(self, endpoint: str) -> Policy:
        """Return a VPC endpoint's policy."""
        (described,) = self.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
        return parse("VPC endpoint policy", described["PolicyDocument"])

    def has_object(self, bucket: str, key: str) -> bool:
        """Return whether a bucket contains an object with the given key."""
        try:
            self.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as problem:
            if problem.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True

    def _all(self, inline: list[tuple[str, Any]], attached: list[dict[str, str]]) -> tuple[Policy, ...]:
        own = [parse("identity-based policy", document) for _, document in inline]
        return (*own, *(self._managed(each["PolicyArn"], "identity-based policy") for each in attached))

    def _managed(self, arn: str, name: str) -> Policy:
        iam = self.client("iam")
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        return parse(name, iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
