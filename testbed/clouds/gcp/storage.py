"""Buckets, image repositories and secrets."""

from __future__ import annotations

import re

from testbed.clouds.gcp import members
from testbed.clouds.gcp.api import Api, at, refused
from testbed.clouds.gcp.kinds import Kind, default_naming
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
REPOSITORY_MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
SECRET = "gcp:secretmanager/secret:Secret"
VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
SECRET_MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"
OBJECTS = "objects"

_STORAGE, _IMAGES, _SECRETS = (f"{name}.googleapis.com" for name in ("storage", "artifactregistry", "secretmanager"))
_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{1,61})[a-z0-9]")
_MOST_OPERATORS, _MOST_ENTRIES = 12, 1500


def _bucket(api: Api, values: Values, before: Values) -> Values:
    name = values["name"]
    return {
        "location": str(values["location"]).upper(),
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{name}",
        "url": f"gs://{name}",
        "projectNumber": int(api.number),
    }


def _bucket_name(api: Api, values: Values) -> None:
    """Reject an invalid bucket name. Source: https://docs.cloud.google.com/storage/docs/buckets, read 2026-11-27."""
    if not _NAME.fullmatch(str(values["name"])):
        raise refused(400, f"Invalid bucket name: '{values['name']}', invalid")


def _retained(api: Api, values: Values) -> None:
    """Reject versioning combined with a retention policy, and weaker policies for a locked bucket.

    Source: https://docs.cloud.google.com/storage/docs/bucket-lock, read 2026-11-27.
    """
    retention = values.get("retentionPolicy") or {}
    if retention and values.get("versioning", {}).get("enabled"):
        raise refused(400, "Object versioning cannot be enabled on a bucket with a retention policy., invalid")
    before = (api.find(BUCKET, str(values["name"])) or {}).get("retentionPolicy") or {}
    shorter = int(retention.get("retentionPeriod", 0)) < int(before.get("retentionPeriod", 0))
    if before.get("isLocked") and (shorter or not retention.get("isLocked")):
        raise refused(
            403,
            f"Cannot reduce retention duration of a locked Retention Policy for bucket '{values['name']}'., forbidden",
        )


def _empty(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a bucket with objects. Wording: repositories quoting the provider, read 2026-11-27."""
    objects = [key for key, each in api.store.all(OBJECTS).items() if each["bucket"] == identifier]
    if objects and not values.get("forceDestroy"):
        raise Refused(
            "Error",
            f"Error trying to delete bucket {identifier} containing objects without `force_destroy` set to true",
        )
    for key in objects:
        api.store.take(OBJECTS, key)


def _condition(api: Api, values: Values) -> None:
    """Reject unsupported or overly complex conditions, and bucket policies with too many members.

    Source: https://docs.cloud.google.com/iam/quotas and .../storage/docs/access-control/iam, read 2026-11-27.
    """
    for expression in at(values, "condition.expression"):
        bucket = api.find(BUCKET, str(values["bucket"])) or {}
        if not bucket.get("uniformBucketLevelAccess"):
            raise refused(400, "Conditions need uniform bucket-level access., invalid")
        if len(re.findall(r"&&|\|\|", str(expression))) >= _MOST_OPERATORS:
            raise refused(400, f"The condition has more than {_MOST_OPERATORS} logical operators., invalid")
    of_bucket = [each for each in api.all(BUCKET_MEMBER).values() if each["bucket"] == values["bucket"]]
    if len(of_bucket) >= _MOST_ENTRIES:
        raise refused(400, f"The policy of {values['bucket']} has more than {_MOST_ENTRIES} members., invalid")


def _repository(api: Api, values: Values, before: Values) -> Values:
    name, place = values["repositoryId"], api.filled("{location}", values)
    return {"name": name, "registryUri": f"{place}-docker.pkg.dev/{api.account}/{name}"}


def _secret(api: Api, values: Values, before: Values) -> Values:
    return {"name": f"projects/{api.number}/secrets/{values['secretId']}"}


def _secret_key(api: Api, values: Values) -> None:
    """Check each replica's key against the replica's own region."""
    for replica in at(values, "replication.userManaged.replicas"):
        members.encrypts("secretmanager", "customerManagedEncryption.kmsKeyName")(api, replica)


def _version(api: Api, values: Values, before: Values) -> Values:
    if before:
        return {}
    secret = str(values["secret"]).rpartition("/")[2]
    number = 1 + sum(str(each["secret"]) == values["secret"] for each in api.all(VERSION).values())
    return {
        "name": f"projects/{api.number}/secrets/{secret}/versions/{number}",
        "version": str(number),
        "enabled": True,
    }


KINDS = {
    BUCKET: Kind(
        "{name}",
        _STORAGE,
        fixed=frozenset(
            {"name", "project", "location", "hierarchicalNamespace", "enableObjectRetention", "customPlacementConfig"}
        ),
        naming=default_naming(),
        labels="labels",
        client=frozenset({"forceDestroy"}),
        assign=_bucket,
        rules=(_bucket_name, _retained, members.encrypts("storage", "encryption.defaultKmsKeyName")),
        guards=(_empty,),
        contains=(BUCKET_MEMBER,),
        exists="Your previous request to create the named bucket succeeded and you already own it., conflict",
    ),
    BUCKET_MEMBER: Kind(
        "b/{bucket}/{role}/{member}",
        _STORAGE,
        fixed=frozenset({"bucket", "role", "member", "condition"}),
        references={"bucket": BUCKET},
        rules=(members.exists, _condition),
        shared=True,
    ),
    REPOSITORY: Kind(
        "projects/{project}/locations/{location}/repositories/{repositoryId}",
        _IMAGES,
        fixed=frozenset({"repositoryId", "location", "format", "mode", "kmsKeyName", "description", "project"}),
        labels="labels",
        client=frozenset({"cleanupPolicyDryRun"}),
        assign=_repository,
        rules=(members.encrypts("artifactregistry", "kmsKeyName"),),
        contains=(REPOSITORY_MEMBER,),
        exists="the repository already exists: {}, alreadyExists",
    ),
    REPOSITORY_MEMBER: Kind(
        "projects/{project}/locations/{location}/repositories/{repository}/{role}/{member}",
        _IMAGES,
        fixed=frozenset({"repository", "location", "role", "member", "condition"}),
        references={"repository": REPOSITORY},
        rules=(members.exists,),
        shared=True,
    ),
    SECRET: Kind(
        "projects/{project}/secrets/{secretId}",
        _SECRETS,
        fixed=frozenset({"secretId", "replication", "tags", "project"}),
        labels="labels",
        assign=_secret,
        rules=(_secret_key,),
        contains=(VERSION, SECRET_MEMBER),
        exists="Secret [{}] already exists., alreadyExists",
    ),
    VERSION: Kind(
        "{name}",
        _SECRETS,
        fixed=frozenset({"secret", "secretData"}),
        assign=_version,
        references={"secret": SECRET},
    ),
    SECRET_MEMBER: Kind(
        "projects/{project}/secrets/{secretId}/{role}/{member}",
        _SECRETS,
        fixed=frozenset({"secretId", "role", "member", "condition", "project"}),
        references={"secretId": SECRET},
        rules=(members.exists,),
        shared=True,
    ),
}
