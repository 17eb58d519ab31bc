"""Workload identities, i.e. roles that Pods assume via EKS Pod Identity, with exactly the access in the spec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NotRequired, TypedDict

import pulumi
from pulumi_aws import eks, iam

from .account import Account
from .adopted import AdoptedCluster, AdoptedKey
from .cluster import Cluster
from .key import Key
from .policies import Statement, document, pod_trust, role_prefix


class StoreAccess(TypedDict):
    """Access to one folder or file in a bucket. An empty prefix means the whole bucket.

    `write` includes `read` and deletion. `append` adds objects but can neither read nor delete them. A prefix that ends
    with a slash is a folder, and any other may be a folder or a file. `key` is the KMS key that encrypts the bucket,
    which defaults to S3's own. `region` is the region of the bucket and the key if it differs from the account's.
    """

    bucket: pulumi.Input[str]
    prefix: str
    mode: Literal["read", "write", "append"]
    key: NotRequired[pulumi.Input[str]]
    region: NotRequired[str]


class Identity(pulumi.ComponentResource):
    """A workload's role, which only Pods of its service account on this cluster can assume.

    `secrets` are names in Secrets Manager. If a secret is encrypted with a key other than `key`, that key's owner must
    grant the role access.
    """

    role_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: Cluster | AdoptedCluster,
        key: Key | AdoptedKey,
        namespace: str,
        service_account: str,
        access: Sequence[StoreAccess] = (),
        secrets: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:Identity", name, None, key.account.options(opts))
        if not access and not secrets:
            raise pulumi.RunError(f"{name}: a role needs at least one permission")
        arns = [secret_arn(key.account, secret) for secret in secrets]
        role = pod_role(
            self,
            name,
            cluster=cluster,
            account=key.account,
            namespace=namespace,
            service_account=service_account,
            policy=document(*store_statements(key.account, access), *secret_statements(key, arns)),
        )
        self.role_arn = role.arn
        self.register_outputs({"role_arn": self.role_arn})


def pod_role(
    parent: pulumi.Resource,
    name: str,
    *,
    cluster: Cluster | AdoptedCluster,
    account: Account,
    namespace: str,
    service_account: str,
    policy: pulumi.Input[str],
) -> iam.Role:
    """Create a role with the given policy, and associate it with one service account, whose Pods can assume it."""
    within = pulumi.ResourceOptions(parent=parent)
    role = iam.Role(
        name,
        iam.RoleArgs(
            name_prefix=role_prefix(cluster.title, name),
            description=f"Pods of {namespace}/{service_account}",
            assume_role_policy=pod_trust(cluster.arn, namespace=namespace, service_account=service_account),
            tags={"modelyard:workload": name},
        ),
        within,
    )
    rights = iam.RolePolicy(name, iam.RolePolicyArgs(role=role.name, policy=policy), within)
    eks.PodIdentityAssociation(
        name,
        eks.PodIdentityAssociationArgs(
            cluster_name=cluster.name, namespace=namespace, service_account=service_account, role_arn=role.arn
        ),
        # Pods that start before the policy is attached would keep credentials without permissions
        pulumi.ResourceOptions(parent=parent, depends_on=[rights]),
    )
    return role


def store_statements(account: Account, access: Sequence[StoreAccess]) -> Iterable[Statement]:
    """Return statements that grant exactly the given access. For example, `lake/` doesn't include `lake-2/`.

    A prefix may be a file, so the key without a slash is also readable. It can't be listed, since listing `lake` would
    also show `lake-2/`. S3 therefore responds with 403 instead of 404 to a HEAD request for a missing key. Source:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, 2026-11-24.
    """
    readable = [each for each in access if each["mode"] != "append"]
    writable = [each for each in access if each["mode"] == "write"]
    appended = [each for each in access if each["mode"] == "append"]
    if readable:
        yield {
            "Sid": "ReadObjects",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": [arn for each in readable for arn in _objects(account, each)],
        }
    folders: dict[pulumi.Input[str], list[str]] = {}
    for each in readable:
        folders.setdefault(each["bucket"], []).append(_folder(each))
    for position, (bucket, prefixes) in enumerate(folders.items()):
        yield _listing(account, bucket, prefixes, f"List{position}")
    if writable:
        yield {
            "Sid": "WriteObjects",
            "Effect": "Allow",
            "Action": ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"],
            "Resource": [arn for each in writable for arn in _objects(account, each)],
        }
    if appended:
        yield {
            "Sid": "AddObjects",
            "Effect": "Allow",
            "Action": ["s3:AbortMultipartUpload", "s3:PutObject"],
            "Resource": [arn for each in appended for arn in _objects(account, each)],
        }
    yield from _key_statements(account, access, [*writable, *appended])


def secret_statements(key: Key | AdoptedKey, arns: Sequence[pulumi.Input[str]]) -> Iterable[Statement]:
    """Return statements that allow reading the given secrets and decrypting those encrypted with our key."""
    if not arns:
        return
    yield {"Sid": "ReadSecrets", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": list(arns)}
    yield {
        "Sid": "DecryptSecrets",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": key.arn,
        "Condition": {
            "StringEquals": {"kms:ViaService": _via(key.account, "secretsmanager")},
            # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html, 2026-11-24
            "StringLike": {"kms:EncryptionContext:SecretARN": list(arns)},
        },
    }


def secret_arn(account: Account, name: str) -> pulumi.Output[str]:
    """Return the ARN pattern of a secret, as AWS appends a hyphen and six characters to the name.

    Longer names that start with this one don't match. Source:
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_iam-policies.html, 2026-11-24.
    """
    return account.arn("secretsmanager", f"secret:{_literal(name)}-??????")


def secret_arns(
    name: str, account: Account, secrets: Sequence[str], arns: Sequence[pulumi.Input[str]]
) -> list[pulumi.Input[str]]:
    """Return the ARN patterns of secrets given by name, and the given ARNs. A role that reads nothing is an error."""
    patterns: list[pulumi.Input[str]] = [*(secret_arn(account, secret) for secret in secrets), *arns]
    if not patterns:
        raise pulumi.RunError(f"{name}: a role needs at least one permission to read")
    return patterns


def _listing(account: Account, bucket: pulumi.Input[str], folders: Sequence[str], sid: str) -> Statement:
    """Combine a bucket's folders in one statement, as role policies are limited to 10,240 characters."""
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": _bucket_arn(account, bucket),
    }
    if all(folders):
        prefixes = [f"{folder}/*" for folder in dict.fromkeys(folders)]
        statement["Condition"] = {"StringLike": {"s3:prefix": prefixes[0] if len(prefixes) == 1 else prefixes}}
    return statement


def _key_statements(
    account: Account, access: Sequence[StoreAccess], writable: Sequence[StoreAccess]
) -> Iterable[Statement]:
    for sid, action, accesses in (("Decrypt", "kms:Decrypt", access), ("Encrypt", "kms:GenerateDataKey", writable)):
        encrypted = [each for each in accesses if "key" in each]
        if not encrypted:
            continue
        # If a bucket has a bucket key, S3 sends KMS the bucket as encryption context, otherwise the object. S3 itself
        # has already authorized the objects.
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html, 2026-11-24
        buckets = [_bucket_arn(account, bucket) for bucket in _distinct(each["bucket"] for each in encrypted)]
        context = [arn for bucket in buckets for arn in (bucket, pulumi.Output.concat(bucket, "/*"))]
        # S3 uses a key in the key's own region, wherever the client is
        vias = list(dict.fromkeys(_via(account, "s3", each.get("region", "")) for each in encrypted))
        yield {
            "Sid": f"{sid}Objects",
            "Effect": "Allow",
            "Action": action,
            "Resource": _distinct(each["key"] for each in encrypted if "key" in each),
            "Condition": {
                "StringEquals": {"kms:ViaService": vias[0] if len(vias) == 1 else vias},
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": context},
            },
        }


def _objects(account: Account, access: StoreAccess) -> tuple[pulumi.Output[str], ...]:
    bucket, folder = _bucket_arn(account, access["bucket"]), _folder(access)
    if not folder or access["prefix"].endswith("/"):
        return (pulumi.Output.concat(bucket, "/", f"{folder}/*" if folder else "*"),)
    return tuple(pulumi.Output.concat(bucket, "/", path) for path in (folder, f"{folder}/*"))


def _bucket_arn(account: Account, bucket: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat(f"arn:{account.partition}:s3:::", bucket)


def _folder(access: StoreAccess) -> str:
    return _literal(access["prefix"].strip("/"))


def _literal(text: str) -> str:
    """Return text that matches exactly one name in a policy. Raises RunError if IAM would treat it as a pattern."""
    if any(sign in text for sign in "*?$"):
        raise pulumi.RunError(f"{text}: a policy would read this as a pattern")
    return text


def _via(account: Account, service: str, region: str = "") -> str:
    return f"{service}.{region or account.region_name}.{account.dns_suffix}"


def _distinct(texts: Iterable[pulumi.Input[str]]) -> list[pulumi.Input[str]]:
    return list(dict.fromkeys(texts))
