"""Tests that unsupported features are reported at the correct line, and that similar valid specs pass."""

from __future__ import annotations

import pytest

from tests.targets.aws.infrastructure import LEADS, changed, refused

VPC = "vpc: {cidr: 10.20.0.0/16}"
LAKE = "  lake: {type: object}"
RUNS = "  runs: {type: database}"
OWNER = "email: growth@acme.example}"
FITS = "gpu: {cpu: 4, memory: 16Gi, "
MIRROR = "images: {registry: registry.acme.example/ml, mirror: true}"


def codes(*changes: tuple[str, str]) -> set[str]:
    return {finding.partition(" ")[0] for finding in refused(changed(*changes))}


def test_valid_spec_has_no_diagnostics() -> None:
    assert refused(LEADS) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("region: eu-central-1", "region: eu-west-9", "AWS-E015"),
        ("region: eu-central-1", "region: cn-north-1", "AWS-E015"),
        (VPC, f'version: "1.21"\n  {VPC}', "AWS-E001"),
        (VPC, "vpc: {cidr: 10.20.0.0/23}", "AWS-E004"),
        (VPC, "vpc: {cidr: 10.0.0.0/15}", "AWS-E004"),
        (VPC, "vpc: {cidr: 10.20.1.0/16}", "AWS-E004"),
        (VPC, "vpc: {cidr: 8.8.0.0/16}", "AWS-E004"),
        (VPC, "vpc: {cidr: 10.20.0.0/16, nat: none}", "AWS-E008"),
        (RUNS, "  runs: {type: database, size: 19Gi}", "AWS-E005"),
        (RUNS, "  runs: {type: database, size: 65Ti}", "AWS-E005"),
        (FITS, "gpu: {cpu: 4, memory: 16Gi, disk: 64Ti, ", "AWS-E023"),
        ("disk: 30Gi, elastic: true", "disk: 32Ti, elastic: true", "AWS-E023"),
        (RUNS, "  runs: {type: database, replicas: 3}", "AWS-W009"),
        (RUNS, '  runs: {type: database, credentials: "secret://manager/db"}', "E0625"),
        (RUNS, "  runs: {type: database, adopt: db.acme.example/mlflow}", "E0626"),
        (LAKE, "  lake: {type: object, adopt: acme_lake}", "AWS-E006"),
        (LAKE, "  lake: {type: object, adopt: acme..lake}", "AWS-E006"),
        (LAKE, "  lake: {type: object, adopt: 192.168.10.1}", "AWS-E006"),
        (LAKE, "  lake: {type: object, adopt: acme-s3alias}", "AWS-E006"),
        (LAKE, '  lake: {type: object, endpoint: "https://s3.acme.example"}', "AWS-E007"),
        (LAKE, '  lake: {type: object, credentials: "secret://manager/lake"}', "AWS-E007"),
        (LAKE, "  lake: {type: object, adopt: acme-lake, versioned: true}", "E0624"),
        (OWNER, f"{OWNER}, budget: {{monthly: 900 EUR}}", "AWS-E010"),
    ],
)
def test_unsupported_settings_are_refused(before: str, after: str, code: str) -> None:
    assert code in codes((before, after))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (VPC, f'version: "1.35"\n  {VPC}'),
        (VPC, "vpc: {cidr: 10.20.0.0/22}"),
        (VPC, "vpc: {cidr: 172.16.0.0/16}"),
        (VPC, f"vpc: {{cidr: 10.20.0.0/16, nat: none}}\n  {MIRROR}"),
        (FITS, "gpu: {cpu: 4, memory: 16Gi, disk: 60Ti, "),
        ("disk: 30Gi, elastic: true", "disk: 31Ti, elastic: true"),
        (RUNS, "  runs: {type: database, size: 20Gi, replicas: 2}"),
        (RUNS, "  runs: {type: database, size: 64Ti}"),
        (LAKE, "  lake: {type: object, adopt: acme.lake-1}"),
        (OWNER, f"{OWNER}, budget: {{monthly: 90000 USD}}"),
    ],
)
def test_similar_settings_are_accepted(before: str, after: str) -> None:
    assert refused(changed((before, after))) == []


def test_database_name_limit_includes_system_and_target() -> None:
    """RDS names have at most 63 characters, including the system, target and store names."""
    system = ("metadata: {name: leads", f"metadata: {{name: {'l' * 28}ds")
    store = (RUNS, f"  {'r' * 30}: {{type: database}}")
    registry = ("database: runs", f"database: {'r' * 30}")

    assert "AWS-E002" in codes(system, store, registry)
    assert "AWS-E002" not in codes(store, registry)


def test_database_name_with_two_hyphens_is_refused() -> None:
    assert "AWS-E003" in codes((RUNS, "  runs--db: {type: database}"), ("database: runs", "database: runs--db"))


def test_labels_must_be_valid_tags() -> None:
    many = ", ".join(f"l{at}: x" for at in range(50))
    long = f"{'.'.join(['cost'] * 28)}/x: y"

    assert "AWS-E011" in codes(("{domain: sales}", f"{{{many}}}"))
    assert "AWS-E011" in codes(("{domain: sales}", f"{{{long}}}"))


TWO = """
  mode: cloud
  targets:
    main: {provider: aws, region: eu-central-1, account: "123456789012", vpc: {cidr: 10.20.0.0/16},
      secretStores: {manager: {via: secrets-manager, refresh: 15m}}}
    lab: {provider: aws, region: eu-central-1, account: "%s", vpc: {cidr: 10.30.0.0/16}}
  placement: {default: main}
"""


def two(account: str) -> str:
    start, end = LEADS.index("\n  mode: cloud"), LEADS.index("stores:\n  lake")
    text = LEADS[:start] + TWO % account + LEADS[end:]
    source = "{image: 'acme.example/x:1', entrypoint: 'x.y:z'}"
    custom = f"  export: {{type: custom, target: lab, inputs: [clicks], compute: small, source: {source}}}\n"
    return text.replace("inference:\n", f"{custom}inference:\n", 1)


def test_bucket_in_another_account_is_refused() -> None:
    same, other = refused(two("123456789012")), refused(two("210987654321"))

    assert not [finding for finding in same if "-W" not in finding]
    assert [finding.partition(" ")[0] for finding in other if "-W" not in finding] == ["AWS-E012"]


def test_bucket_in_another_region_needs_internet_access() -> None:
    """A network's S3 endpoint serves only its own region, so buckets elsewhere require internet access."""
    text = two("123456789012").replace(
        "lab: {provider: aws, region: eu-central-1", "lab: {provider: aws, region: eu-west-1"
    )
    closed = text.replace(
        "vpc: {cidr: 10.30.0.0/16}",
        'images: {registry: "mirror.acme.example", mirror: true}, vpc: {cidr: 10.30.0.0/16, nat: none}',
    )

    assert not [finding for finding in refused(text) if "-W" not in finding]
    assert [finding.partition(" ")[0] for finding in refused(closed) if "-W" not in finding] == ["AWS-E012"]
    at_home = closed.replace("region: eu-west-1", "region: eu-central-1")
    assert not [finding for finding in refused(at_home) if "-W" not in finding]


def test_exceeded_eks_quotas_are_reported() -> None:
    """More than 30 node groups in a cluster, or more than 450 nodes in a group, cause a warning."""
    compute = "compute: {cpu: 1, memory: 2Gi}"
    inline = "".join(f"  more{at}: {{variants: {{only: {{model: churn@champion}}}}, {compute}}}\n" for at in range(30))
    large = ("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 900}\n")

    assert refused(LEADS + inline) == ["AWS-W013 deployment:"]
    assert refused(changed(large)) == ["AWS-W013 small: {cpu: 1, memory: 2Gi}"]
    assert refused(changed(large, ("max: 900", "max: 449"))) == []


def test_secret_named_like_a_database_login_is_refused() -> None:
    """The generated Secret is named after the store, with the suffix `-login`, so no other may have that name."""
    assert "E0685" in codes((VPC, f"images: {{pullSecret: runs-login}}\n  {VPC}"))
    assert "E0685" not in codes((VPC, f"images: {{pullSecret: runs-app}}\n  {VPC}"))
