"""Tests the commands, identities and network access of the Jobs that maintain the database login on RDS."""

from __future__ import annotations

from modelyard.source import Json
from tests.targets.aws.emitted import changed, emitted_object, names

ADOPTED = (
    "  runs: {type: database}",
    '  runs: {type: database, adopt: db.acme.example/runs, credentials: "secret://manager/db"}',
)


def test_job_creates_login_and_cron_job_rotates_it_weekly() -> None:
    """The Job and the weekly CronJob run the same Pod under their own ServiceAccount."""
    (job,) = [name for name in names("Job") if name.startswith("login-runs-")]
    once, weekly = emitted_object("Job", job)["spec"], emitted_object("CronJob", "login-runs")["spec"]
    (container,) = once["template"]["spec"]["containers"]
    environment = {each["name"]: each["value"] for each in container["env"]}

    assert weekly["jobTemplate"]["spec"] == once
    assert weekly["schedule"] == "17 4 * * 0"
    assert once["template"]["spec"]["serviceAccountName"] == "login-runs"
    assert container["command"] == ["python", "-m", "modelyard_runtime", "login"]
    assert environment == {
        "HOME": "/tmp",
        "MODELYARD_INSTANCE": "leads-prod-main-runs",
        "MODELYARD_DATABASE": "runs",
        "MODELYARD_LOGIN_SECRET": "leads-prod-main-runs-login",
        "AWS_REGION": "eu-central-1",
    }


def test_login_job_may_reach_database_and_aws_services() -> None:
    """The Job may reach PostgreSQL in the VPC, two AWS services over HTTPS, and the Pod Identity agent."""
    egress = emitted_object("NetworkPolicy", "login-runs")["spec"]["egress"]

    assert egress[0] == {
        "to": [{"ipBlock": {"cidr": "10.20.0.0/16"}}],
        "ports": [{"protocol": "TCP", "port": 5432}],
    }
    assert [rule["ports"][0]["port"] for rule in egress] == [5432, 443, 80]


def test_only_login_jobs_use_the_login_service_account() -> None:
    """Only the Job and the CronJob use the ServiceAccount that may read the master login."""
    accounts = [
        pod["serviceAccountName"]
        for kind in ("Deployment", "Job", "CronJob", "RayService", "RayJob")
        for name in names(kind)
        for pod in _pods(emitted_object(kind, name))
    ]

    assert len([account for account in accounts if account == "login-runs"]) == 2


def test_adopted_database_has_no_login_job() -> None:
    assert not [name for name in names("Job", changed(ADOPTED)) if name.startswith("login-")]


def _pods(value: Json) -> list[dict[str, Json]]:
    if isinstance(value, list):
        return [pod for each in value for pod in _pods(each)]
    fields = value if isinstance(value, dict) else {}
    own = [fields] if "serviceAccountName" in fields else []
    return own + [pod for each in fields.values() for pod in _pods(each)]
