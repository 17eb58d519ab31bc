"""Tests that copy Jobs run where both stores are reachable, read existing Secrets, and contain no login."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from modelyard.inputs import InputFile, Inputs
from modelyard.migration.copying import pairs_of
from modelyard.migration.jobs import Place, logins_text, place_of
from modelyard.migration.planning import planned
from modelyard.migration.records import Migration, Move
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.pipeline import compile_system
from modelyard.portability import Destination
from modelyard.source import Json
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from tests.lake import lake_at

PLANT = "https://s3.plant.example:9000"
INSIDE = "http://minio.minio.svc:9000"
IN_CLOUD: dict[str, Json] = {
    "deployment": {"mode": "cloud"},
    "stores": {"lake": {"endpoint": None, "credentials": None}},
}
GOOGLE = Destination("gcp", "europe-west3")


def another_cluster(endpoint: str) -> dict[str, Json]:
    """Return the changes that move the system to another cluster, with its object store at the given URL."""
    return {"deployment": {"context": "hall", "namespace": "moved"}, "stores": {"lake": {"endpoint": endpoint}}}


def plan(to: Destination, patch: dict[str, Json], endpoint: str = PLANT) -> tuple[Migration, Move]:
    """Return the plan for moving the whole system, whose store is at the given URL."""
    inputs = Inputs(InputFile("system.yaml", lake_at(endpoint)))
    old = Side(inputs, compile_system(inputs, TARGETS))
    return planned(
        sides_of(MoveRequest(("main",), to, "moved", patch), old, TARGETS), (".",), "migration", TARGETS, NO_USAGE
    )


def jobs(migration: Migration) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the file name of each copy Job, and the objects in the file by kind."""
    for phase in migration.phases:
        for name, text in phase.files.items():
            yield f"{phase.name}/{name}", {manifest["kind"]: manifest for manifest in yaml.safe_load_all(text)}


def container(objects: dict[str, Any]) -> dict[str, Any]:
    """Return the only container of a copy Job."""
    (only,) = objects["Job"]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def test_every_phase_that_copies_has_a_job_on_the_new_side() -> None:
    """Jobs run on the new side, whichever way they copy.

    Comparisons aren't retried, since a difference wouldn't go away.
    """
    migration, move = plan(GOOGLE, IN_CLOUD)

    objects_by_file = dict(jobs(migration))
    assert {name: objects["Job"]["spec"]["backoffLimit"] for name, objects in objects_by_file.items()} == {
        "5-data/migration-copy-lake.yaml": 6,
        "5-data/migration-check-lake.yaml": 0,
        "8-freeze/migration-copy-lake.yaml": 6,
        "8-freeze/migration-check-lake.yaml": 0,
        "9-cut-over/migration-late-lake.yaml": 6,
        "9-cut-over/migration-missing-lake.yaml": 0,
        "10-watch/migration-copy-back-lake.yaml": 6,
        "10-watch/migration-check-back-lake.yaml": 0,
    }
    namespaces = {
        manifest["metadata"]["namespace"] for objects in objects_by_file.values() for manifest in objects.values()
    }
    assert namespaces == {move.handovers["new"]["main"].namespace}
    back = container(objects_by_file["10-watch/migration-copy-back-lake.yaml"])["command"]
    assert [word.partition(":")[0] for word in back[4:6]] == ["new_lake", "old_lake"]
    (login,) = [step for step in migration.phases[4].do if step.in_cluster and not step.commands]
    assert "ServiceAccount modelyard-migration" in login.text


def test_logins_are_names_without_values_and_are_removed_in_the_end() -> None:
    """The plan contains no login. The user fills in a copy of the Secret's file."""
    migration, move = plan(GOOGLE, IN_CLOUD)

    lines = logins_text(move, pairs_of(move, "old", "new")).splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [
        "RCLONE_CONFIG_OLD_LAKE_ENV_AUTH=false",
        "RCLONE_CONFIG_OLD_LAKE_ACCESS_KEY_ID=",
        "RCLONE_CONFIG_OLD_LAKE_SECRET_ACCESS_KEY=",
        "RCLONE_CONFIG_NEW_LAKE_ENV_AUTH=false",
        "RCLONE_CONFIG_NEW_LAKE_SERVICE_ACCOUNT_CREDENTIALS=",
    ]
    (removal,) = [step.in_cluster for step in migration.phases[-1].do if step.in_cluster]
    assert removal.commands[1].endswith("delete secret modelyard-migration --ignore-not-found")


def test_a_job_reads_the_secret_of_a_store_on_its_own_target_and_reaches_only_the_stores() -> None:
    """The workloads' Secret is already in the Job's namespace, so only the login to the other side is missing."""
    migration, move = plan(Destination("kubernetes"), another_cluster("https://s3.hall.example:9443"))

    objects = dict(jobs(migration))["5-data/migration-copy-lake.yaml"]
    secrets = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in container(objects)["env"]
        if "valueFrom" in variable
    }
    assert secrets == dict.fromkeys(
        ("RCLONE_CONFIG_NEW_LAKE_ACCESS_KEY_ID", "RCLONE_CONFIG_NEW_LAKE_SECRET_ACCESS_KEY"), "lake"
    )
    assert "NEW_LAKE" not in logins_text(move, pairs_of(move, "old", "new"))
    reached = objects["NetworkPolicy"]["spec"]["egress"]
    assert [port["port"] for rule in reached for port in rule["ports"]] == [9000, 9443]
    selected = objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items()
    assert selected <= objects["Job"]["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (INSIDE, None, Place("old", "main")),
        ("https://s3.plant.example", INSIDE, Place("new", "main")),
        (INSIDE, INSIDE, None),
    ],
    ids=["old", "new", "both"],
)
def test_a_job_runs_in_the_cluster_of_a_store_that_only_that_cluster_reaches(
    old: str, new: str | None, place: Place | None
) -> None:
    """If two clusters can only reach one store each, there is no Job, and the plan explains port forwarding."""
    migration, move = (
        plan(GOOGLE, IN_CLOUD, old) if new is None else plan(Destination("kubernetes"), another_cluster(new), old)
    )

    (ends,) = pairs_of(move, "old", "new")
    assert place_of(move, ends) == place
    (step,) = [step for step in migration.phases[4].do if any(" copy " in line for line in step.commands)]
    assert (step.in_cluster is None) == (place is None)
    assert "only through kubectl port-forward" in step.text
    assert ("No Job can copy it" in step.text) == (place is None)


@pytest.mark.parametrize(
    ("place", "command"),
    [
        (
            Destination("aws", "eu-central-1"),
            "--namespace lake --service-account modelyard-migration --role-arn ROLE",
        ),
        (GOOGLE, "PROJECT.svc.id.goog/subject/ns/lake-moved/sa/modelyard-migration"),
        (Destination("azure", "westeurope"), "--subject system:serviceaccount:lake:modelyard-migration"),
    ],
)
def test_jobs_can_use_an_identity_of_their_cloud(place: Destination, command: str) -> None:
    """The plan says how a Job gets a cloud identity, so only stores outside that cloud need a static key."""
    migration, _ = plan(place, IN_CLOUD)

    (login,) = [step for phase in migration.phases for step in phase.do if "let them log in" in step.text]
    assert command in login.text
    assert "For other stores, fill in" in login.text
