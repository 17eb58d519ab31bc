"""Tests that invalid cloud fields are reported where they are, and unusual valid ones are accepted."""

from __future__ import annotations

import pytest

from modelyard.spec import NO_OPTIONS
from modelyard_targets.aws.options import Vpc, vpc_of
from tests.compiler.checks.checked_specs import places_in
from tests.plans import system_of

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: leads}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment:
  mode: hybrid
  targets:
    main: {provider: aws, region: eu-central-1, AWS}
    plant: {provider: kubernetes, context: plant, PLANT}
    OTHER
  placement: {default: main}
stores:
  lake: {type: object, STORE}
data: {clicks: {store: lake, path: clicks, format: parquet}}
pipelines:
  tidy: {type: custom, inputs: [clicks], source: {entrypoint: "leads:tidy"}, compute: {cpu: 1, memory: 2Gi}}
"""


def spec(
    aws: str = "network: private", plant: str = "edge: false", store: str = "versioned: true", other: str = ""
) -> str:
    third = f"other: {{{other}}}" if other else "# nothing else"
    runs = '  more: {type: custom, target: other, source: {entrypoint: "a:b"}, compute: {cpu: 1, memory: 2Gi}}\n'
    text = SPEC + runs if other else SPEC
    return text.replace("AWS", aws).replace("PLANT", plant).replace("STORE", store).replace("OTHER", third)


def column(text: str, line: int, word: str) -> int:
    return text.splitlines()[line - 1].index(word) + 1


@pytest.mark.parametrize(
    ("changes", "line", "word", "code"),
    [
        ({"aws": "access: [192.0.2.0/24]"}, 8, "access", "E0481"),
        ({"aws": "network: public"}, 8, "public", "E0482"),
        ({"other": "provider: aws, region: eu-west-1"}, 10, "other", "W0483"),
        ({"aws": "vpc: {cidr: 10.9.0.0/20}", "other": "provider: aws, region: eu-west-1, vpc: {cidr: 10.9.8.0/24}"},
         10, "cidr", "W0483"),
        ({"plant": "reachableFrom: [main, plant]"}, 9, "plant]", "E0484"),
        ({"plant": "secretStores: {m: {via: secrets-manager}}"}, 9, "secrets-manager", "E0413"),
        ({"store": f'adopt: lake, target: plant, credentials: "secret://kubernetes/s3", encryptionKey: "{KEY}"'},
         13, "encryptionKey", "AWS-E021"),
        ({"store": f'adopt: lake, endpoint: "http://s3.x", encryptionKey: "{KEY}"'}, 13, "encryptionKey", "AWS-E021"),
        ({"store": f'encryptionKey: "{KEY}"'}, 13, "encryptionKey", "AWS-E021"),
        ({"store": f'adopt: lake, region: eu-west-1, encryptionKey: "{KEY}"'}, 13, '"arn', "AWS-E022"),
    ],
)  # fmt: skip
def test_invalid_cloud_fields_are_reported_at_their_place(
    changes: dict[str, str], line: int, word: str, code: str
) -> None:
    text = spec(**changes)

    assert f"{line}:{column(text, line, word)} {code}" in places_in(text)
    assert {entry.split()[1] for entry in places_in(text)} - {"W0410"} == {code}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aws": "network: public, access: [192.0.2.0/24]"},
        {"other": "provider: aws, region: eu-west-1, vpc: {cidr: 10.1.0.0/16}"},
        {"aws": 'vpc: {cidr: "fd00:1::/56"}', "other": "provider: aws, region: eu-west-1"},
        {"plant": "reachableFrom: [main]"},
        {"aws": "secretStores: {m: {via: secrets-manager}}"},
    ],
)
def test_valid_cloud_fields_are_accepted(changes: dict[str, str]) -> None:
    assert places_in(spec(**changes)) == []


def test_a_network_shared_by_two_targets_is_no_overlap() -> None:
    shared = "vpc: {adopt: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d, subnet-0a1b2c3e], cidr: 10.9.0.0/16}"

    assert places_in(spec(aws=shared, other=f"provider: aws, region: eu-central-1, {shared}")) == []


def test_encryption_key_of_an_adopted_bucket_is_reported_as_provider_specific() -> None:
    assert [entry.split()[1] for entry in places_in(spec(store=f'adopt: lake, encryptionKey: "{KEY}"'))] == ["W0410"]


@pytest.mark.parametrize(
    ("size", "field", "expected"),
    [
        ("small", "", Vpc(nat="one")),
        ("enterprise", "", Vpc(nat="per-zone")),
        ("enterprise", "vpc: {nat: none}", Vpc(nat="none")),
        (
            "enterprise",
            "vpc: {adopt: vpc-0a1b2c3d, subnets: [subnet-0a1b2c3d, subnet-0a1b2c3e], cidr: 10.9.0.0/16}",
            Vpc("vpc-0a1b2c3d", ("subnet-0a1b2c3d", "subnet-0a1b2c3e"), "10.9.0.0/16"),
        ),
    ],
)
def test_nat_per_zone_depends_on_the_profile_size(size: str, field: str, expected: Vpc) -> None:
    """Larger profiles have a NAT gateway per zone, so losing one zone doesn't cut off the others."""
    text = spec(aws=field or "network: private").replace("governance:", f"profile: {{size: {size}}}\ngovernance:", 1)
    targets = {target.name: target for target in system_of(text).deployment.targets}

    assert vpc_of(targets["main"]) == expected
    assert targets["plant"].options is NO_OPTIONS


def test_a_target_with_only_buckets_has_no_network() -> None:
    """A target with only buckets has no network, so its address range can't overlap with that of another target."""
    text = spec(other="provider: aws, region: eu-west-1").replace("target: other, ", "")
    database = text.replace("  lake: {", "  runs: {type: database, target: other}\n  lake: {")

    assert "W0483" not in " ".join(places_in(text))
    assert "W0483" in " ".join(places_in(database))
