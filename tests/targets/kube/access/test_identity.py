"""Tests that identities have only the permissions that their workloads need."""

from __future__ import annotations

from tests.lowering import Lowered, lowered
from tests.specs import VALID_SPEC, changed
from tests.targets.kube.pipelines.test_launcher import AFTER


def rights(made: Lowered, name: str) -> set[tuple[str, str, str, str]]:
    """Return a Role's permissions as API group, kind, verb and name."""
    return {
        (group, kind, verb, only)
        for rule in made.get("Role", name)["rules"]
        for group in rule["apiGroups"]
        for kind in rule["resources"]
        for verb in rule["verbs"]
        for only in rule.get("resourceNames", ["*"])
    }


def test_only_identities_that_start_runs_have_roles() -> None:
    """Only launchers and monitors that start runs have Roles. The operator creates those of autoscalers."""
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
    """A launcher may list Jobs that a monitor started, and may delete runs only with `overlap: replace`."""
    replacing = changed("timeZone: Europe/Berlin", "timeZone: Europe/Berlin, overlap: replace")
    looks = {("ray.io", "rayjobs", verb, "*") for verb in ("create", "get")}
    looks |= {("batch", "jobs", verb, "*") for verb in ("get", "list")}

    assert rights(lowered(VALID_SPEC), "retrain-launcher") == looks
    assert rights(lowered(replacing), "retrain-launcher") == looks | {("ray.io", "rayjobs", "delete", "*")}


def test_launcher_may_only_start_following_cron_jobs() -> None:
    """The first launcher may create Jobs from the two following CronJobs, but their launchers may not."""
    made = lowered(AFTER)
    before = rights(made, "retrain-launcher")

    assert {only for _, kind, _, only in before if kind == "cronjobs"} == {"nightly", "report"}
    assert {verb for _, kind, verb, _ in before if kind == "cronjobs"} == {"get"}
    assert {verb for _, kind, verb, _ in before if kind == "jobs"} == {"create", "get", "list"}
    for name in ("nightly-launcher", "report-launcher"):
        assert {verb for _, kind, verb, _ in rights(made, name) if kind == "jobs"} == {"get", "list"}


def test_monitor_may_only_read_the_cron_job_that_it_starts() -> None:
    found = rights(lowered(VALID_SPEC), "monitor-drift")

    assert ("batch", "cronjobs", "get", "retrain") in found
    assert {verb for _, kind, verb, _ in found if kind == "jobs"} == {"create", "get", "list"}
    assert not {verb for _, _, verb, _ in found} & {"*", "delete", "patch", "update"}


def test_each_role_is_bound_to_its_own_account() -> None:
    made = lowered(VALID_SPEC)
    for name in made.names("RoleBinding"):
        binding = made.get("RoleBinding", name)

        assert binding["roleRef"]["name"] == name
        assert [subject["name"] for subject in binding["subjects"]] == [name]


def test_service_accounts_mount_no_token_by_default() -> None:
    made = lowered(VALID_SPEC)

    assert made.names("ServiceAccount")
    assert not any(
        made.get("ServiceAccount", name)["automountServiceAccountToken"] for name in made.names("ServiceAccount")
    )


def test_every_pod_has_an_emitted_service_account() -> None:
    made = lowered(VALID_SPEC)
    text = str(list(made))
    for used in ("scorer", "retrain", "retrain-launcher", "monitor-drift"):
        assert f"'serviceAccountName': '{used}'" in text or f'"serviceAccountName": "{used}"' in text
        assert made.has("ServiceAccount", used)
