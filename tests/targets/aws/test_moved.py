"""Tests that a rename declared with `moved` keeps all names in the AWS account and cluster.

It destroys nothing.
"""

from __future__ import annotations

import re

from modelyard.stack import Manifest
from modelyard_targets.aws.lower import objects
from tests.targets.aws.infrastructure import LEADS, calls_by_name, plan_of

RENAMED = re.sub(r"(?m)^  score:", "  prospects:", LEADS).replace("inference.score", "inference.prospects")
STORES = re.sub(r"\blake\b", "pond", re.sub(r"\bruns\b", "history", LEADS))
STORES_MOVED = STORES + "moved: {stores.pond: stores.lake, stores.history: stores.runs}\n"
MOVED = RENAMED + "moved: {inference.prospects: inference.score}\n"


def manifests(text: str) -> dict[tuple[str, str], Manifest]:
    """Return the emitted objects, keyed by kind and name."""
    documents = [made_object.manifest for made_object in objects(plan_of(text), "main")]
    return {(str(document["kind"]), _name(document)): document for document in documents}


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["name"])


def test_moved_endpoint_keeps_its_resources_in_the_account() -> None:
    """The bucket, database, roles and node groups keep their names and arguments."""
    assert calls_by_name(MOVED).keys() == calls_by_name(LEADS).keys()
    assert {
        call.component
        for name, call in calls_by_name(MOVED).items()
        if call.arguments != calls_by_name(LEADS)[name].arguments
    } == set()


def test_moved_endpoint_keeps_its_object_names() -> None:
    """After the rename, the server's Kubernetes objects keep their old names."""
    assert manifests(MOVED).keys() == manifests(LEADS).keys()


def test_rename_without_moved_replaces_role_and_server() -> None:
    removed = calls_by_name(LEADS).keys() - calls_by_name(RENAMED).keys()

    assert {name.partition(" ")[0] for name in removed} == {"Identity"}
    assert ("RayService", "score") not in manifests(RENAMED)


def test_renamed_endpoint_does_not_change_bucket_and_database() -> None:
    stateful = [name for name in calls_by_name(LEADS) if name.startswith(("ObjectStore", "Database"))]

    assert stateful
    assert all(calls_by_name(RENAMED)[name] == calls_by_name(LEADS)[name] for name in stateful)


def test_moved_stores_keep_their_resources() -> None:
    """Renamed stores keep their bucket, database, login and permissions, and all object names are unchanged."""
    assert calls_by_name(STORES_MOVED).keys() == calls_by_name(LEADS).keys()
    assert {
        name
        for name, call in calls_by_name(STORES_MOVED).items()
        if call.arguments != calls_by_name(LEADS)[name].arguments
    } == set()
    assert manifests(STORES_MOVED).keys() == manifests(LEADS).keys()


def test_renamed_stores_without_moved_are_replaced() -> None:
    removed = {name.partition(" ")[0] for name in calls_by_name(LEADS).keys() - calls_by_name(STORES).keys()}

    assert removed == {"ObjectStore", "Database", "DatabaseLogin"}
