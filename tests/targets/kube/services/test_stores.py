"""Tests that buckets are either created with the spec's settings or adopted without any changes."""

from __future__ import annotations

from tests.crds import problems
from tests.emitted import Object, emitted_object, names
from tests.specs import VALID_SPEC, changed

MADE = changed(
    '{type: object, adopt: acme-fraud-lake, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}',
    '{type: object, endpoint: "https://s3.acme.example", region: eu-2, '
    "credentials: secret://vault/lake, retention: 30d}",
)


def job(text: str) -> Object:
    (name,) = names(text, "Job")
    return emitted_object(text, "Job", name)


def environment(text: str) -> dict[str, object]:
    (container,) = job(text)["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def test_adopted_bucket_has_no_job() -> None:
    assert names(VALID_SPEC, "Job") == []


def test_bucket_job_has_the_settings() -> None:
    variables = environment(MADE)

    assert variables["MODELYARD_BUCKET"] == "fraud-prod-lake"
    assert variables["MODELYARD_VERSIONED"] == "true"
    assert variables["MODELYARD_RETENTION_SECONDS"] == str(30 * 86400)
    assert variables["AWS_ENDPOINT_URL"] == "https://s3.acme.example"
    assert variables["AWS_REGION"] == "eu-2"
    assert variables["AWS_ACCESS_KEY_ID"] == {"secretKeyRef": {"name": "vault.lake", "key": "access-key-id"}}


def test_changed_settings_rename_the_job() -> None:
    again = MADE.replace("retention: 30d", "retention: 60d")

    assert names(MADE, "Job") == names(MADE, "Job")
    assert names(MADE, "Job") != names(again, "Job")


def test_bucket_job_is_restricted() -> None:
    spec = job(MADE)["spec"]["template"]["spec"]
    policy = emitted_object(MADE, "NetworkPolicy", "store-lake")["spec"]

    assert spec["automountServiceAccountToken"] is False
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert "ingress" not in policy
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [443]


def test_bucket_job_is_valid() -> None:
    assert problems(job(MADE)) == []
