"""Tests that identities have only the permissions that their workloads need."""

from __future__ import annotations

from tests.lowering import Lowered, lowered
from tests.specs import VALID_SPEC, changed
from tests.targets.kube.pipelines.test_launcher import AFTER


def rights(objects: Lowered, name: str) -> set[tuple[str, str, str, str]]:
    """Return a Role's permissions, each as API group, kind, verb and name."""
    return {
        (group, kind, verb, only)
        for rule in objects.get("Role", name)["rules"]
        for group in rule["apiGroups"]
        for kind in rule["resources"]
        for verb in rule["verbs"]
        for only in rule.get("resourceNames", ["*"])
    }


def test_only_identities_that_start_runs_have_roles() -> None:
    """Only launchers and monitors that start runs get Roles from us. The operator creates the autoscaler Roles."""
    assert lowered(VALID_SPEC).names("Role") == [
        "nightly-launcher",
        "report-launcher",
        "retrain-launcher",
        "try-out-launcher",
        "monitor-drift",
    ]


def test_launcher_may_only_create_and_get_runs() -> None:
    assert rights(lowered(VALID_SPEC), "nightly-launcher") == {
        ("ray.io", "rayjobs", verb, "*") for verb in ("create", "get")
    }


def test_launcher_may_list_jobs_started_by_a_monitor() -> None:
    """A launcher may list Jobs started by a monitor, but may delete runs only with `overlap: replace`."""
    replacing = changed("timeZone: Europe/Berlin", "timeZone: Europe/Berlin, overlap: replace")
    looks = {("ray.io", "rayjobs", verb, "*") for verb in ("create", "get")}
    looks |= {("batch", "jobs", verb, "*") for verb in ("get", "list")}

    assert rights(lowered(VALID_SPEC), "retrain-launcher") == looks
    assert rights(lowered(replacing), "retrain-launcher") == looks | {("ray.io", "rayjobs", "delete", "*")}


def test_launcher_may_only_start_following_cron_jobs() -> None:
    """The first launcher may create Jobs from the two following CronJobs, but their own launchers may not."""
    manifests = lowered(AFTER)
    before = rights(manifests, "retrain-launcher")

    assert {only for _, kind, _, only in before if kind == "cronjobs"} == {"nightly", "report"}
    assert {verb for _, kind, verb, _ in before if kind == "cronjobs"} == {"get"}
    assert {verb for _, kind, verb, _ in before if kind == "jobs"} == {"create", "get", "list"}
    for name in ("nightly-launcher", "report-launcher"):
        assert {verb for _, kind, verb, _ in rights(manifests, name) if kind == "jobs"} == {"get", "list"}


def test_monitor_may_only_read_the_cron_job_that_it_starts() -> None:
    granted = rights(lowered(VALID_SPEC), "monitor-drift")

    assert ("batch", "cronjobs", "get", "retrain") in granted
    assert {verb for _, kind, verb, _ in granted if kind == "jobs"} == {"create", "get", "list"}
    assert not {verb for _, _, verb, _ in granted} & {"*", "delete", "patch", "update"}


def test_each_role_is_bound_to_its_own_account() -> None:
    manifests = lowered(VALID_SPEC)
    for name in manifests.names("RoleBinding"):
        binding = manifests.get("RoleBinding", name)

        assert binding["roleRef"]["name"] == name
        assert [subject["name"] for subject in binding["subjects"]] == [name]


def test_service_accounts_mount_no_token_by_default() -> None:
    manifests = lowered(VALID_SPEC)

    assert manifests.names("ServiceAccount")
    assert not any(
        manifests.get("ServiceAccount", name)["automountServiceAccountToken"]
        for name in manifests.names("ServiceAccount")
    )


def test_every_pod_has_an_emitted_service_account() -> None:
    manifests = lowered(VALID_SPEC)
    text = str(list(manifests))
    for account in ("scorer", "retrain", "retrain-launcher", "monitor-drift"):
        assert f"'serviceAccountName': '{account}'" in text or f'"serviceAccountName": "{account}"' in text
        assert manifests.has("ServiceAccount", account)
