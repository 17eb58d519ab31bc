"""Tests what workload identities may do with objects, as determined by Google's predefined roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import Resources, needs, of
from tests.stacks.gcp.programs import CLUSTER, PROJECT, elsewhere, registered
from tests.stacks.gcp.roles import BINDING, Bucket, bindings
from tests.stacks.programs import Refused

POOL = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/acme-ml.svc.id.goog"
SCORER = f"{POOL}/subject/ns/fraud/sa/scorer"
LAKE = "fraud-lake-1a2b3c"
ACCESS = """[
        {"bucket": "fraud-lake-1a2b3c", "prefix": "models/scorer/", "mode": "read"},
        {"bucket": "fraud-lake-1a2b3c", "prefix": "tables/customers.parquet", "mode": "read"},
        {"bucket": "fraud-lake-1a2b3c", "prefix": "features/", "mode": "write"},
        {"bucket": "fraud-audit-1a2b3c", "prefix": "captures/scorer/", "mode": "append"},
    ]"""
ADOPTED = f"""{PROJECT}
from modelyard_stacks.gcp.adopted import AdoptedCluster
from modelyard_stacks.gcp.identity import Identity

cluster = AdoptedCluster("fraud-prod-main", project=project, cluster_name="fraud-prod-main")
"""


def identity(access: str) -> str:
    return f"""{ADOPTED}
Identity(
    "scorer",
    cluster=cluster,
    namespace="fraud",
    service_account="scorer",
    access={access},
)
"""


def folders(count: int, mode: str = "read") -> str:
    return repr([{"bucket": LAKE, "prefix": f"models/m{number}/", "mode": mode} for number in range(count)])


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register an identity with permission to read, write and append."""
    return registered(tmp_path_factory.mktemp("identity"), identity(ACCESS))


@pytest.fixture(scope="module")
def lake(resources: Resources) -> Bucket:
    """Return the bucket that can be read and written."""
    return Bucket(bindings(resources.values()), LAKE, SCORER)


@pytest.fixture(scope="module")
def audit(resources: Resources) -> Bucket:
    """Return the bucket to which captures can only be added."""
    return Bucket(bindings(resources.values()), "fraud-audit-1a2b3c", SCORER)


@pytest.mark.parametrize(
    ("permission", "path", "allowed"),
    [
        ("storage.objects.get", "models/scorer/1/model.pkl", True),
        ("storage.objects.get", "models/scorer-2/1/model.pkl", False),
        ("storage.objects.get", "models/ranker/1/model.pkl", False),
        ("storage.objects.create", "models/scorer/1/model.pkl", False),
        ("storage.objects.delete", "models/scorer/1/model.pkl", False),
        ("storage.objects.get", "tables/customers.parquet", True),
        ("storage.objects.get", "tables/customers.parquet/part-0", True),
        ("storage.objects.get", "tables/customers.parquet.bak", False),
        ("storage.objects.get", "features/day=1/part-0", True),
        ("storage.objects.create", "features/day=1/part-0", True),
        ("storage.objects.delete", "features/day=1/part-0", True),
        ("storage.objects.create", "features-2/part-0", False),
        ("storage.objects.setIamPolicy", "features/day=1/part-0", False),
    ],
)
def test_objects_are_accessible_only_below_named_prefixes(
    lake: Bucket, permission: str, path: str, allowed: bool
) -> None:
    assert lake.may(permission, path) is allowed


@pytest.mark.parametrize("path", ["models/scorer", "features", "tables/customers.parquet"])
def test_reading_a_folder_name_is_allowed(lake: Bucket, path: str) -> None:
    """Libraries first request the folder name without a slash. They stop at a 403 but continue after a 404."""
    assert lake.may("storage.objects.get", path)


def test_readers_and_writers_can_list_but_not_change_the_bucket(lake: Bucket) -> None:
    assert lake.may("storage.objects.list")
    assert lake.may("storage.buckets.get")
    assert not lake.may("storage.buckets.update")
    assert not lake.may("storage.buckets.setIamPolicy")
    assert not lake.may("storage.buckets.delete")
    assert not lake.may("storage.managedFolders.setIamPolicy")


def test_append_access_cannot_read_list_or_delete(audit: Bucket) -> None:
    captured = "captures/scorer/day=1/part-0"

    assert audit.may("storage.objects.create", captured)
    assert not audit.may("storage.objects.get", captured)
    assert not audit.may("storage.objects.delete", captured)  # overwriting needs this permission as well
    assert not audit.may("storage.objects.list")
    assert not audit.may("storage.objects.create", "captures/ranker/day=1/part-0")


def test_other_pods_have_no_access(resources: Resources) -> None:
    other = Bucket(bindings(resources.values()), LAKE, f"{POOL}/subject/ns/fraud/sa/ranker")

    assert other.bindings() == []
    assert {each["inputs"]["member"] for each in of(resources, BINDING).values()} == {SCORER}
    assert not elsewhere(resources)


def test_an_empty_prefix_is_the_whole_bucket(tmp_path: Path) -> None:
    access = [{"bucket": LAKE, "prefix": prefix, "mode": "read"} for prefix in ("", "x/")]
    bucket = Bucket(bindings(registered(tmp_path, identity(repr(access))).values()), LAKE, SCORER)

    assert bucket.may("storage.objects.get", "anything")
    assert not bucket.may("storage.objects.create", "x/anything")
    assert [each.role for each in bucket.bindings()] == [
        "roles/storage.legacyBucketReader",
        "roles/storage.objectViewer",
    ]


def test_many_folders_share_conditions(tmp_path: Path) -> None:
    """Folders share conditions, each of which can have twelve operators, i.e. two for each of six folders."""
    resources = registered(tmp_path, identity(folders(13)))
    bucket = Bucket(bindings(resources.values()), LAKE, SCORER)
    conditions = [
        each["inputs"]["condition"] for each in of(resources, BINDING).values() if "condition" in each["inputs"]
    ]

    assert len(conditions) == 3
    assert len({each["title"] for each in conditions}) == 3
    assert all(bucket.may("storage.objects.get", f"models/m{number}/a") for number in range(13))
    assert not bucket.may("storage.objects.get", "models/m13/a")


def test_too_many_folders_for_iam_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="scorer: 121 folders of fraud-lake-1a2b3c do not fit into IAM's conditions"):
        registered(tmp_path, identity(folders(121)))


def test_the_name_of_a_binding_depends_on_its_access(resources: Resources, tmp_path: Path) -> None:
    """Names depend on the access, since deleting one of two resources for the same binding would remove it."""
    changed = registered(tmp_path, identity(ACCESS.replace("models/scorer/", "models/scorer-2/")))
    before, after = set(of(resources, BINDING)), set(of(changed, BINDING))

    assert len(before) == len(after)
    assert len(before - after) == 1
    assert f"scorer-{LAKE}-list" in before & after


@pytest.mark.parametrize("prefix", ['a"b/', "a\\\\b/"])
def test_prefix_that_would_break_a_condition_is_refused(prefix: str, tmp_path: Path) -> None:
    access = f"""[{{"bucket": "{LAKE}", "prefix": '{prefix}', "mode": "read"}}]"""
    with pytest.raises(Refused, match="this would end a string in a condition"):
        registered(tmp_path, identity(access))


def test_an_identity_without_access_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="an identity needs at least one permission"):
        registered(tmp_path, identity("[]"))


def test_access_is_granted_after_cluster_and_bucket_exist(tmp_path: Path) -> None:
    program = f"""{CLUSTER}
from modelyard_stacks.gcp.identity import Identity
from modelyard_stacks.gcp.storage import ObjectStore

lake = ObjectStore("lake", project=project, key=key, bucket="{LAKE}")
Identity(
    "scorer",
    cluster=cluster,
    namespace="fraud",
    service_account="scorer",
    access=[{{"bucket": "{LAKE}", "prefix": "x/", "mode": "read"}}],
    stores=[lake],
)
"""
    resources = registered(tmp_path, program)

    assert {
        "gcp:container/cluster:Cluster fraud-prod-main",
        "gcp:storage/bucket:Bucket lake",
    } <= needs(resources, BINDING, f"scorer-{LAKE}-list")
