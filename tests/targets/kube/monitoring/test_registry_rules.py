"""Tests registry alerts for a missing server, a failing promoter, and a failed login rotation."""

from __future__ import annotations

from modelyard.plan import Kind
from modelyard_targets.kube.readme.alerts import alert_rows
from tests.crds import problems
from tests.lowering import lowered
from tests.observed import alerts, context_of, rule_object
from tests.plans import plan_of
from tests.specs import VALID_SPEC, changed
from tests.targets.aws.emitted import changed as changed_on_aws
from tests.targets.aws.emitted import emitted_object

RULES = "registry.alerts"
WATCHED = (
    "email: growth@acme.example}}",
    'email: growth@acme.example, oncall: pager}}\nchannels: {pager: {type: pagerduty, key: "secret://manager/pd#key"}}',
)
ADOPTED = ("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')


def test_a_registry_without_a_server_pages_the_owner() -> None:
    rule = alerts(VALID_SPEC, RULES)[0]

    available = 'kube_deployment_status_replicas_available{namespace="fraud",deployment="mlflow"}'
    assert (rule["alert"], rule["expr"]) == ("ModelyardRegistryGone", f"max({available}) == 0")
    assert (rule["for"], rule["labels"]["severity"], rule["labels"]["channel_oncall"]) == ("600s", "page", "true")
    assert rule["annotations"]["runbook"]
    assert problems(rule_object(VALID_SPEC, RULES)) == []


def test_a_promoter_that_does_not_succeed_is_a_ticket() -> None:
    """The failing promoter alert has severity `ticket` and refers to the emitted CronJob."""
    (_, rule) = alerts(VALID_SPEC, RULES)
    own = '{namespace="fraud",cronjob="promoter"}'

    assert (rule["alert"], rule["labels"]["severity"]) == ("ModelyardPromoterMissing", "ticket")
    assert rule["expr"].startswith(f"time() - max(kube_cronjob_status_last_successful_time{own} or ")
    assert "> 1800 unless on () max_over_time(kube_cronjob_spec_suspend" in rule["expr"]
    assert "promoter" in lowered(VALID_SPEC).names("CronJob")


def test_failed_login_rotation_is_a_ticket() -> None:
    """The failed login rotation alert has severity `ticket` and refers to the emitted CronJob."""
    text = changed_on_aws(WATCHED)
    (group,) = emitted_object("PrometheusRule", RULES, text)["spec"]["groups"]
    missing, *_, login = group["rules"]

    assert (missing["alert"], login["alert"]) == ("ModelyardRegistryGone", "ModelyardLoginFailed")
    assert f'owner_name="{emitted_object("CronJob", "login-runs", text)["metadata"]["name"]}"' in login["expr"]
    assert login["labels"]["severity"] == "ticket"


def test_readme_lists_registry_alerts() -> None:
    rows = [row for row in alert_rows(context_of(VALID_SPEC)) if "the registry" in row.about]

    assert [(row.about, row.channels) for row in rows] == [(("the registry",), ("oncall",))]


def test_no_registry_alerts_if_adopted_or_without_on_call() -> None:
    for text in (changed(*ADOPTED), changed(", oncall: oncall", "")):
        assert RULES not in [resource.name for resource in plan_of(text).resources if resource.kind is Kind.ALERT_RULES]
