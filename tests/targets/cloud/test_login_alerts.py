"""Tests that clouds without login rotation never warn about one."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.targets.azure import infrastructure as azure
from tests.targets.gcp import infrastructure as gcp

ON_CALL = (
    "email: growth@acme.example}}",
    'email: growth@acme.example, oncall: pager}}\nchannels: {pager: {type: pagerduty, key: "secret://manager/pd#key"}}',
)


@pytest.mark.parametrize("cloud", [azure, gcp], ids=["azure", "gcp"])
def test_no_alert_about_a_rotation_that_does_not_exist(cloud: ModuleType) -> None:
    """A CronJob rotates database logins only on AWS, so neither alert rules nor READMEs elsewhere mention it."""
    text = cloud.leads(ON_CALL)
    (group,) = cloud.manifest("PrometheusRule", "registry.alerts", text)["spec"]["groups"]
    names = [rule["alert"] for rule in group["rules"] if "alert" in rule]

    assert "ModelyardRegistryGone" in names
    assert "ModelyardLoginFailed" not in names
    assert "was not rotated" not in cloud.readme(text)
