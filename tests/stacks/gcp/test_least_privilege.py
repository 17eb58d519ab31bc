"""Tests that each workload in a system has exactly the access declared in its spec, and that nobody else has access."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.stacks.gcp.roles import PROJECT, Binding, allowed, bindings, bucket, key, permissions, repository, secret
from tests.stacks.gcp.roles import stored as at
from tests.stacks.gcp.systems import google_systems
from tests.stacks.programs import Registration
from tests.stacks.systems import registered_systems
from tools.list_google_roles import ROLES

POOLS = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools"
LAKE, AUDIT, EVENTS = "leads-lake-aa8f43", "leads-audit-aa8f43", "discovery-events"
CHURN, CAPTURES = "mlflow/models/leads-churn", "captures/start-page"
KEY = "projects/acme-ml/locations/europe-west4/keyRings/{0}/cryptoKeys/{0}"

READ = {"storage.objects.get"}
APPEND = {
    "storage.multipartUploads.abort",
    "storage.multipartUploads.create",
    "storage.multipartUploads.listParts",
    "storage.objects.create",
    "storage.objects.createContext",
}
CHANGE = {
    f"storage.objects.{verb}" for verb in ("delete", "deleteContext", "move", "restore", "update", "updateContext")
}
MODES = {"read": READ, "append": APPEND, "write": READ | APPEND | CHANGE}
LIST = {"storage.buckets.get", "storage.multipartUploads.list", "storage.objects.list"}
NAMES = {f"storage.{kind}.{verb}" for kind in ("folders", "managedFolders") for verb in ("get", "list")}

Access = dict[str, dict[tuple[str, str], str]]
LEADS: Access = {
    "registry": {(LAKE, "mlflow"): "write"},
    "fit": {(LAKE, "clicks"): "read", (LAKE, CHURN): "write", (LAKE, "mlflow/logs/fit"): "append"},
    "scoring": {
        (LAKE, "clicks"): "read",
        (LAKE, "scores"): "write",
        (LAKE, CHURN): "read",
        (LAKE, "mlflow/logs/scoring"): "append",
    },
    "score": {(LAKE, CHURN): "read", (AUDIT, "audit/score"): "append"},
    "promoter": {
        (LAKE, "mlflow/models"): "read",
        (LAKE, "mlflow/models/leads-propensity"): "append",
        (LAKE, "bought/propensity/4"): "read",
    },
}
TRAINING: Access = {
    "impressions": {
        (EVENTS, "plays"): "read",
        (EVENTS, "catalogue/titles"): "read",
        (EVENTS, "features/impressions"): "write",
        (EVENTS, "checkpoints/impressions"): "write",
    },
    "train-ranker": {(EVENTS, "features/impressions"): "read"},
    **{
        name: {
            (EVENTS, "plays"): "read",
            (EVENTS, "catalogue/titles"): "read",
            (EVENTS, f"checkpoints/{name}"): "write",
        }
        for name in ("train-towers", "try-towers")
    },
    **{
        f"monitor-{name}": {
            (EVENTS, CAPTURES): "read",
            (EVENTS, "features/impressions"): "read",
            (EVENTS, f"{CAPTURES}/_monitors/{name}"): "write",
        }
        for name in ("clicks", "impressions-drift")
    },
}
WEB: Access = {"start-page": {(EVENTS, CAPTURES): "write"}}
SYSTEMS: dict[str, tuple[str, str, Access]] = {
    "leads-on-google-default-main": ("acme-leads", "leads", LEADS),
    "recommender-gcp-training": ("acme-ml", "recommender-training", TRAINING),
    "recommender-gcp-web": ("acme-ml", "recommender-web", WEB),
}
"""For each infrastructure project: its cloud project and namespace, and the access of each workload in the spec."""


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Registration]]:
    """Return the registrations of every Google Cloud system, by infrastructure project."""
    return registered_systems(google_systems(), tmp_path_factory.mktemp("systems"))


@pytest.fixture(scope="module")
def policies(registered: dict[str, list[Registration]]) -> dict[str, tuple[Binding, ...]]:
    """Return the bindings in each system's programs."""
    return {name: bindings(resources) for name, resources in registered.items()}


def member(project: str, namespace: str, account: str) -> str:
    """Return the IAM member for a ServiceAccount."""
    return f"{POOLS}/{project}.svc.id.goog/subject/ns/{namespace}/sa/{account}"


def probes(access: Access) -> Iterator[tuple[str, str]]:
    """Yield objects inside and next to each folder that any workload accesses."""
    for name, prefix in sorted({place for places in access.values() for place in places}):
        yield from ((name, f"{prefix}{rest}") for rest in ("", "/a", "/day=1/a.parquet", "-2/a", ".bak"))
    for name in (LAKE, AUDIT, EVENTS):
        yield from ((name, path) for path in ("a.parquet", "mlflow/models/other/1/model.pkl", "captures/other/a"))


def expected(places: dict[tuple[str, str], str], name: str, path: str) -> frozenset[str]:
    """Return what a workload may do with an object according to the spec."""
    modes = [
        mode
        for (where, prefix), mode in places.items()
        if where == name and (path == prefix or path.startswith(f"{prefix}/"))
    ]
    return frozenset[str]().union(*(MODES[mode] for mode in modes))


@pytest.mark.parametrize("name", SYSTEMS)
def test_workloads_access_exactly_the_objects_in_the_spec(name: str, policies: dict[str, tuple[Binding, ...]]) -> None:
    project, namespace, access = SYSTEMS[name]
    wrong = [
        (account, *probe, actual, intended)
        for account, places in access.items()
        for probe in probes(access)
        if (actual := allowed(policies[name], member(project, namespace, account), at(*probe)))
        != (intended := expected(places, *probe))
    ]

    assert wrong == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_workloads_list_only_the_buckets_that_they_read_or_write(
    name: str, policies: dict[str, tuple[Binding, ...]]
) -> None:
    """Google authorizes listing per bucket, so all names in the bucket are visible, even folder names."""
    project, namespace, access = SYSTEMS[name]
    for account, places in access.items():
        who = member(project, namespace, account)
        read = {where for (where, _), mode in places.items() if mode != "append"}
        for each in (LAKE, AUDIT, EVENTS):
            folder = f"{bucket(each)}/managedFolders/clicks/"
            assert allowed(policies[name], who, bucket(each)) == (LIST if each in read else set())
            assert allowed(policies[name], who, folder) == (NAMES if each in read else set())


@pytest.mark.parametrize("name", SYSTEMS)
def test_workloads_have_no_other_access(name: str, policies: dict[str, tuple[Binding, ...]]) -> None:
    project, namespace, access = SYSTEMS[name]
    resources = {each.on for each in policies[name] if not each.on.startswith(f"{PROJECT}/buckets/")}

    assert PROJECT in resources
    assert {
        (account, resource)
        for account in access
        for resource in resources
        if allowed(policies[name], member(project, namespace, account), resource)
    } == set()


@pytest.mark.parametrize("name", SYSTEMS)
def test_other_members_are_nodes_external_secrets_and_google(
    name: str, policies: dict[str, tuple[Binding, ...]]
) -> None:
    """Other Pods, people and the public have no access. Google's agents can use only the key."""
    project, namespace, access = SYSTEMS[name]
    pods = {member(project, namespace, account) for account in access}
    rest = {each.member for each in policies[name]} - pods
    nodes = {each for each in rest if each.endswith("@acme-ml.iam.gserviceaccount.com")}
    secrets = {each for each in rest if "/subject/ns/external-secrets/" in each}
    agents = rest - nodes - secrets

    assert pods < {each.member for each in policies[name]}
    assert (len(nodes), len(secrets)) == (1, 1 if access is LEADS else 0), "recommender keeps its secrets in Vault"
    assert {each.partition("-")[0] for each in agents} == {"serviceAccount:service", "serviceAccount:cmek"}
    assert {(each.on.partition("/keyRings/")[0], each.role) for each in policies[name] if each.member in agents} == {
        (f"{PROJECT}/locations/europe-west4", "roles/cloudkms.cryptoKeyEncrypterDecrypter")
    }


def test_nodes_write_logs_and_metrics_and_pull_images(policies: dict[str, tuple[Binding, ...]]) -> None:
    leads = policies["leads-on-google-default-main"]
    (who,) = {each.member for each in leads if each.role == "roles/container.defaultNodeServiceAccount"}

    assert allowed(leads, who, PROJECT) == set(permissions("roles/container.defaultNodeServiceAccount"))
    assert "artifactregistry.repositories.downloadArtifacts" in allowed(leads, who, repository("leads-main"))
    assert not [
        each
        for each in allowed(leads, who, repository("leads-main"))
        if each.endswith((".create", ".delete", ".update", ".uploadArtifacts", ".setIamPolicy"))
    ]
    assert not [
        each for each in (LAKE, AUDIT) if allowed(leads, who, at(each, "a")) | allowed(leads, who, bucket(each))
    ]


def test_external_secrets_reads_two_secrets(policies: dict[str, tuple[Binding, ...]]) -> None:
    leads = policies["leads-on-google-default-main"]
    who = member("acme-leads", "external-secrets", "external-secrets-leads-main")
    (login,) = {each.on for each in leads if each.on.endswith("-login")}

    assert {each.on for each in leads if each.member == who} == {secret("token"), login}
    assert allowed(leads, who, secret("token")) == {"secretmanager.versions.access"}
    assert allowed(leads, who, login) == {"secretmanager.versions.access"}
    assert allowed(leads, who, secret("other")) == set()


def test_only_agents_use_the_key(policies: dict[str, tuple[Binding, ...]]) -> None:
    """Readers of encrypted objects need no key permission, because Cloud Storage decrypts the objects."""
    leads = policies["leads-on-google-default-main"]
    users = {each.member for each in leads if allowed(leads, each.member, key(KEY.format("leads-main")))}

    assert len(users) == 7
    assert {each.partition("-")[0] for each in users} == {"serviceAccount:service", "serviceAccount:cmek"}


def test_table_lists_the_roles_that_are_granted(policies: dict[str, tuple[Binding, ...]]) -> None:
    granted = {each.role for bound in policies.values() for each in bound}

    assert granted == set(ROLES), "change ROLES and run tools/list_google_roles.py"


def test_every_system_is_examined(registered: dict[str, list[Registration]]) -> None:
    assert set(registered) == set(SYSTEMS)
