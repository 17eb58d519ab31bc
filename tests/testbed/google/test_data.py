"""Tests keys, buckets, databases, image repositories and secrets in the Google Cloud stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.testbed.google.world import REGION, World, a_key, a_network, enable, grant

BUCKET = "gcp:storage/bucket:Bucket"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
SECRET = "gcp:secretmanager/secret:Secret"


@pytest.fixture
def key(world: World) -> str:
    """Return an encryption key that no service may use yet."""
    enable(world)
    return a_key(world)


def _bucket(key: str) -> dict[str, Any]:
    return {
        "name": "lake",
        "location": REGION.upper(),
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "encryption": {"defaultKmsKeyName": key},
        "versioning": {"enabled": True},
        "forceDestroy": False,
    }


def test_bucket_needs_the_right_to_use_its_key(world: World, key: str) -> None:
    with pytest.raises(Refused, match=r"403: Permission denied on Cloud KMS key. Please ensure that your Cloud Storag"):
        world.make("lake", BUCKET, **_bucket(key))


def test_buckets(world: World, key: str, cloud: Cloud) -> None:
    cloud.api.store.put("agents", "service-123456789012@gs-project-accounts.iam.gserviceaccount.com", {})
    grant(world, key, "storage")
    lake = world.make("lake", BUCKET, **_bucket(key))

    assert lake["url"] == "gs://lake"
    assert world.change("lake", versioning={"enabled": False})[0] == ["versioning"]
    assert world.replaced_by("lake", location="EU") == ["location"]
    with pytest.raises(Refused, match="409: Your previous request to create the named bucket succeeded"):
        world.make("twice", BUCKET, **_bucket(key))
    locked = {"retentionPeriod": "86400", "isLocked": True}
    assert world.change("lake", retentionPolicy=locked)[0] == ["retentionPolicy"]
    with pytest.raises(Refused, match="Cannot reduce retention duration of a locked Retention Policy for bucket 'lake"):
        world.change("lake", retentionPolicy={**locked, "retentionPeriod": "3600"})
    with pytest.raises(Refused, match="versioning cannot be enabled on a bucket with a retention policy"):
        world.change("lake", versioning={"enabled": True})
    cloud.upload("lake", "clicks/1.parquet")
    with pytest.raises(Refused, match="bucket lake containing objects without `force_destroy` set to true"):
        world.remove("lake")
    cloud.empty("lake")
    world.remove("lake")


def test_members_of_a_bucket(world: World, key: str, cloud: Cloud) -> None:
    world.make("lake", BUCKET, name="lake", location="EU", uniformBucketLevelAccess=False)
    group = {"bucket": "lake", "role": "roles/storage.objectViewer", "member": "group:ml@acme.example"}
    condition = {"title": "folder", "expression": 'resource.name == "a"'}
    with pytest.raises(Refused, match="Conditions need uniform"):
        world.make("some", BUCKET_MEMBER, **group, condition=condition)
    world.change("lake", uniformBucketLevelAccess=True)

    member = world.make("some", BUCKET_MEMBER, **group, condition=condition)
    assert member["id"] == "b/lake/roles/storage.objectViewer/group:ml@acme.example/folder"
    assert world.replaced_by("some", condition={**condition, "title": "other"}) == ["condition.title"]
    many = {"title": "many", "expression": " || ".join(["true"] * 14)}
    with pytest.raises(Refused, match="more than 12 logical operators"):
        world.make("many", BUCKET_MEMBER, **group, condition=many)
    with pytest.raises(Refused, match=r"400: Service account x@acme.iam.gserviceaccount.com does not exist"):
        world.make("none", BUCKET_MEMBER, **{**group, "member": "serviceAccount:x@acme.iam.gserviceaccount.com"})
    with pytest.raises(Refused, match=r"'other' was not found"):
        world.make("other", BUCKET_MEMBER, **{**group, "bucket": "other"})
    world.remove("lake")
    assert "BucketIAMMember" not in cloud.left()


def test_keys_are_never_deleted(world: World, key: str, cloud: Cloud) -> None:
    """Deleting a key destroys its versions, unless its deletion policy is to abandon it. Its name stays taken."""
    assert world.change("key", rotationPeriod="8640000s")[0] == ["rotationPeriod"]
    assert world.replaced_by("key", purpose="MAC") == ["purpose"]
    world.change("key", deletionPolicy="ABANDON")
    kind, identifier, inputs, state = world.resources["key"]
    world.remove("key")
    assert "destroyed" not in (cloud.api.find(kind, key) or {})
    with pytest.raises(Refused, match=r"409: CryptoKey .* already exists"):
        world.lifecycle.create(kind, inputs)

    world.lifecycle.delete(kind, identifier, {**state, "deletionPolicy": "DELETE"})
    assert (cloud.api.find(kind, key) or {})["destroyed"] is True
    ring = world.resources["ring"][1]
    world.remove("ring")
    assert cloud.left()["KeyRing"] == [ring]


def _instance(key: str) -> dict[str, Any]:
    return {
        "name": "runs",
        "region": REGION,
        "databaseVersion": "POSTGRES_17",
        "encryptionKeyName": key,
        "deletionProtection": True,
        "settings": {
            "tier": "db-custom-2-8192",
            "edition": "ENTERPRISE",
            "availabilityType": "REGIONAL",
            "diskSize": 100,
            "deletionProtectionEnabled": True,
            "retainBackupsOnDelete": True,
            "backupConfiguration": {
                "enabled": True,
                "pointInTimeRecoveryEnabled": True,
                "transactionLogRetentionDays": 7,
                "backupRetentionSettings": {"retainedBackups": 35, "retentionUnit": "COUNT"},
            },
            "ipConfiguration": {
                "ipv4Enabled": False,
                "pscConfigs": [{"pscEnabled": True, "allowedConsumerProjects": ["acme"]}],
            },
        },
    }


def test_databases(world: World, key: str, cloud: Cloud) -> None:
    grant(world, key, "sqladmin")
    settings = _instance(key)["settings"]
    runs = world.make("runs", INSTANCE, **_instance(key))
    world.make("mlflow", "gcp:sql/database:Database", instance="runs", name="mlflow")
    login = world.make("login", "gcp:sql/user:User", instance="runs", name="mlflow", type="BUILT_IN", password="first")

    assert (runs["id"], login["id"]) == ("runs", "mlflow//runs")
    assert runs["connectionName"] == f"acme:{REGION}:runs"
    assert world.change("login", password="second")[0] == ["password"]
    assert world.change("runs", settings={**settings, "diskSize": 200})[0] == ["settings"]
    with pytest.raises(Refused, match="disk size of an instance cannot be decreased"):
        world.change("runs", settings=settings)
    assert world.replaced_by("runs", encryptionKeyName="other") == ["encryptionKeyName"]
    with pytest.raises(Refused, match="failed to delete instance because deletion_protection is set to true"):
        world.remove("runs")
    world.change("runs", deletionProtection=False)
    with pytest.raises(Refused, match="The instance is protected"):
        world.remove("runs")
    world.change("runs", settings={**settings, "diskSize": 200, "deletionProtectionEnabled": False})
    world.remove("runs")
    assert not {"Database", "User"} & set(cloud.left())
    assert cloud.api.store.all("backups") == {"runs": {"key": key}}
    with pytest.raises(Refused, match="can't reuse the name of the deleted instance until one week"):
        world.make("again", INSTANCE, **_instance(key))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["tier"], "db-custom-2-1000", r"Invalid Tier \(db-custom-2-1000\) for \(POSTGRES_17\)"),
        (["edition"], "STANDARD", "'STANDARD' is none of"),
        (["backupConfiguration", "transactionLogRetentionDays"], 8, "8 days of transaction logs with 35"),
        (["backupConfiguration", "pointInTimeRecoveryEnabled"], False, "a regional instance needs backups"),
    ],
)
def test_databases_that_google_refuses(world: World, key: str, path: list[str], value: object, message: str) -> None:
    grant(world, key, "sqladmin")
    inputs = _instance(key)
    inner = inputs["settings"]
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value

    with pytest.raises(Refused, match=message):
        world.make("runs", INSTANCE, **inputs)


def test_endpoint_of_a_database(world: World, key: str) -> None:
    """An endpoint takes a free subnetwork address and requires a database that admits the project."""
    grant(world, key, "sqladmin")
    network, subnetwork = a_network(world)
    runs = world.make("runs", INSTANCE, **_instance(key))
    address = world.make(
        "runs-address",
        "gcp:compute/address:Address",
        addressType="INTERNAL",
        region=REGION,
        subnetwork=subnetwork["id"],
    )
    endpoint = "gcp:compute/forwardingRule:ForwardingRule"
    inputs = {
        "region": REGION,
        "network": network["id"],
        "ipAddress": address["selfLink"],
        "loadBalancingScheme": "",
        "target": runs["pscServiceAttachmentLink"],
    }

    assert address["address"] == "10.20.0.4"
    with pytest.raises(Refused, match=r"Invalid value for field 'resource.target'"):
        world.make("wrong", endpoint, **{**inputs, "target": "a/b"})
    with pytest.raises(Refused, match=r"resource.loadBalancingScheme"):
        world.make("wrong", endpoint, **{**inputs, "loadBalancingScheme": "EXTERNAL"})
    rule = world.make("endpoint", endpoint, **inputs)
    assert rule["pscConnectionStatus"] == "ACCEPTED"
    with pytest.raises(Refused, match=r"The address resource .* is already being used by"):
        world.remove("runs-address")


def test_images_and_secrets(world: World, key: str, cloud: Cloud) -> None:
    for service in ("artifactregistry", "secretmanager"):
        grant(world, key, service)
    repository = world.make(
        "images",
        "gcp:artifactregistry/repository:Repository",
        repositoryId="fraud",
        location=REGION,
        format="DOCKER",
        kmsKeyName=key,
        cleanupPolicyDryRun=False,
    )
    nodes = world.make("nodes", "gcp:serviceaccount/account:Account", accountId="fraud-nodes")
    world.make(
        "pull",
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
        repository=repository["name"],
        location=REGION,
        role="roles/artifactregistry.reader",
        member=nodes["member"],
    )
    replica = {"location": REGION, "customerManagedEncryption": {"kmsKeyName": key}}
    secret = world.make("login", SECRET, secretId="runs-login", replication={"userManaged": {"replicas": [replica]}})
    version = "gcp:secretmanager/secretVersion:SecretVersion"
    first = world.make("first", version, secret=secret["id"], secretData="one")
    second = world.make("second", version, secret=secret["id"], secretData="two")
    cloud.secret("token")
    world.make(
        "reader",
        "gcp:secretmanager/secretIamMember:SecretIamMember",
        project="acme",
        secretId="token",
        role="roles/secretmanager.secretAccessor",
        member="user:a@acme.example",
    )

    assert repository["registryUri"] == f"{REGION}-docker.pkg.dev/acme/fraud"
    assert first["id"] == "projects/123456789012/secrets/runs-login/versions/1"
    assert second["version"] == "2"
    assert world.replaced_by("first", secretData="three") == ["secretData"]
    assert world.replaced_by("images", kmsKeyName="other") == ["kmsKeyName"]
    assert world.change("images", dockerConfig={"immutableTags": True})[0] == ["dockerConfig"]
    with pytest.raises(Refused, match="secrets/missing' was not found"):
        world.make("other", version, secret="projects/acme/secrets/missing", secretData="one")
    with pytest.raises(Refused, match="The account ID must be 6-30 characters long"):
        world.make("short", "gcp:serviceaccount/account:Account", accountId="abc")
    world.remove("login")
    assert "SecretVersion" not in cloud.left()
