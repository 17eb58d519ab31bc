"""Tests that features missing on Google Cloud are reported at the correct line.

Similar valid specs pass.
"""

from __future__ import annotations

import pytest

from tests.diagnosing import Question, examine
from tests.narrowing import present
from tests.targets.gcp.infrastructure import LEADS, changed, codes, leads, refused

VPC = "vpc: {cidr: 10.20.0.0/16}"
LAKE = "  lake: {type: object}"
RUNS = "  runs: {type: database}"
OWNER = "email: growth@acme.example}"
GPU = "gpu: {cpu: 4, memory: 16Gi, "
FREE = "free: {cpu: 2, memory: 8Gi, disk: 30Gi}"
MIRROR = "images: {registry: europe-west4-docker.pkg.dev/acme/ml, mirror: true}"
ADOPTED = "vpc: {adopt: shared, subnet: ml, pods: pods, services: services, cidr: 10.20.0.0/24}"
KEYS = 'credentials: "secret://manager/lake"'
TOKEN = "secret://manager/token#value"


def test_valid_spec_has_no_diagnostics() -> None:
    assert refused(LEADS) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("region: europe-west4", "region: europe-west99", "GCP-E002"),
        ("region: europe-west4", "region: europe-west4-a", "GCP-E002"),
        (VPC, f'version: "1.21"\n  {VPC}', "GCP-E001"),
        (VPC, "vpc: {cidr: 10.20.0.0/21}", "GCP-E003"),
        (VPC, "vpc: {cidr: 10.20.1.0/16}", "GCP-E003"),
        (VPC, "vpc: {cidr: 8.8.0.0/16}", "GCP-E003"),
        (VPC, 'vpc: {cidr: "fd00::/16"}', "GCP-E003"),
        (VPC, "vpc: {cidr: 10.20.0.0/16, nat: none}", "GCP-E008"),
        (RUNS, "  runs: {type: database, size: 9Gi}", "GCP-E005"),
        (RUNS, "  runs: {type: database, size: 65Ti}", "GCP-E005"),
        (RUNS, "  runs: {type: database, replicas: 3}", "GCP-W009"),
        (RUNS, '  runs: {type: database, credentials: "secret://manager/db"}', "E0625"),
        (RUNS, "  runs: {type: database, adopt: db.acme.example/mlflow}", "E0626"),
        (LAKE, "  lake: {type: object, adopt: acme-google-lake}", "GCP-E006"),
        (LAKE, "  lake: {type: object, adopt: acme..lake}", "GCP-E006"),
        (LAKE, "  lake: {type: object, adopt: 192.168.10.1}", "GCP-E006"),
        (LAKE, "  lake: {type: object, adopt: goods}", None),
        (LAKE, '  lake: {type: object, endpoint: "https://s3.acme.example"}', "GCP-E007"),
        (LAKE, '  lake: {type: object, credentials: "secret://manager/lake"}', "GCP-E007"),
        (LAKE, "  lake: {type: object, region: europe-west3}", "GCP-E015"),
        (LAKE, "  lake: {type: object, adopt: acme-lake, versioned: true}", "E0624"),
        (OWNER, f"{OWNER}, budget: {{monthly: 900 EUR}}", "GCP-E010"),
        (GPU, "gpu: {cpu: 4, memory: 16Gi, disk: 65Ti, ", "GCP-E017"),
        (TOKEN, "secret://manager/tokens/two.words#value", "GCP-E018"),
    ],
)
def test_unsupported_settings_are_refused(before: str, after: str, code: str | None) -> None:
    reported = codes(leads((before, after)))

    assert code in reported if code is not None else not {each for each in reported if each.startswith("GCP-")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (VPC, f'version: "1.35"\n  {VPC}'),
        (VPC, "vpc: {cidr: 10.20.0.0/19}"),
        (VPC, "vpc: {cidr: 10.0.0.0/8}"),
        (VPC, "vpc: {cidr: 100.64.0.0/16}"),
        (VPC, "vpc: {cidr: 10.20.0.0/16, nat: per-zone}"),
        (VPC, f"vpc: {{cidr: 10.20.0.0/16, nat: none}}\n  {MIRROR}"),
        (VPC, ADOPTED),
        (RUNS, "  runs: {type: database, size: 10Gi, replicas: 2}"),
        (RUNS, "  runs: {type: database, size: 64Ti}"),
        (LAKE, "  lake: {type: object, adopt: acme_lake-1}"),
        (LAKE, "  lake: {type: object, region: europe-west4}"),
        (LAKE, "  lake: {type: object, adopt: acme-lake, region: europe-west3}"),
        (LAKE, f'  lake: {{type: object, adopt: acme-lake, endpoint: "https://s3.acme.example", {KEYS}}}'),
        (OWNER, f"{OWNER}, budget: {{monthly: 90000 USD}}"),
        (GPU, "gpu: {cpu: 4, memory: 16Gi, disk: 60Ti, "),
        (FREE, "free: {cpu: 2, memory: 8Gi, disk: 30Gi, elastic: true}"),
        (TOKEN, "secret://manager/team/token#value"),
    ],
)
def test_similar_settings_are_accepted(before: str, after: str) -> None:
    assert refused(leads((before, after))) == []


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ("name: leads,", "name: goog-leads,", "rename the system"),
        ("name: leads,", "name: my-google,", "rename the system"),
        ("audit", "google-audit", "rename the store"),
        (VPC, ADOPTED.replace("10.20.0.0/24", '"fd00::/64"'), "use the IPv4 range of the subnet"),
        (VPC, "vpc: {cidr: 10.20.0.0/21}", "use a private IPv4 range from /8 to /20, such as 10.20.0.0/16"),
        (VPC, 'vpc: {cidr: 10.20.0.0/16}\n  version: "1.21"', "set `version: '1.36'`, or omit it"),
    ],
)
def test_hint_names_the_setting_to_change(before: str, after: str, hint: str) -> None:
    hints = [each.hint for each in examine(Question(LEADS.replace(before, after))) if each.code.startswith("GCP-E")]

    assert hints
    assert set(hints) == {hint}


def test_nodes_count_for_each_class_once_and_for_the_system_pool() -> None:
    """A class counts once, because its pools are alternatives. A /20 range fits 16 nodes but not 17."""
    narrow = (VPC, "vpc: {cidr: 10.20.0.0/20}")
    few = leads(narrow, ("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 2}\n"))
    many = leads(narrow, ("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 20}\n"))

    assert "GCP-E004" not in codes(few)
    assert "GCP-E004" in codes(many)
    assert "GCP-E004" not in codes(changed((narrow[1], VPC), text=many))


def test_labels_that_would_become_equal_are_refused() -> None:
    assert "GCP-E011" in codes(leads(("{domain: sales}", "{cost.centre: a, cost/centre: b}")))
    assert "GCP-E011" not in codes(leads(("{domain: sales}", "{cost.centre: a, cost_centre: b}")))


def test_replacements_in_a_locked_bucket_are_refused() -> None:
    """Cloud Storage doesn't allow replacing objects in a locked bucket. Captures are fine, as they only add files."""
    locked = leads((LAKE, "  lake: {type: object, objectLock: {mode: governance, retain: 30d}}"))
    (diagnostic,) = [each for each in examine(Question(locked)) if each.code == "GCP-E020"]

    assert locked.splitlines()[present(diagnostic.span).line - 1].startswith("  lake:")
    assert "pipelines.scoring" in diagnostic.message
    assert "inference.score" not in diagnostic.message


@pytest.mark.parametrize(
    ("region", "there"), [("eu-central-1", "europe-west3"), ("us-east-1", "us-east4"), ("ap-southeast-2", "australia-")]
)
def test_hint_for_an_aws_region_lists_regions_on_its_continent(region: str, there: str) -> None:
    """For an AWS region, the hint suggests regions on the same continent rather than similarly named ones."""
    text = leads(("region: europe-west4", f"region: {region}"))
    (diagnostic,) = [each for each in examine(Question(text)) if each.code == "GCP-E002"]

    assert there in diagnostic.hint
    assert "me-central1" not in diagnostic.hint


TWO = """
  mode: cloud
  targets:
    main: {provider: gcp, region: europe-west4, account: acme-leads, vpc: {cidr: 10.20.0.0/16}, %s
      secretStores: {manager: {via: secrets-manager, refresh: 15m}}}
    lab: {provider: gcp, region: europe-west3, account: %s, vpc: {cidr: 10.30.0.0/16}}
  placement: {default: main}
"""


def two(project: str, more: str = "") -> str:
    """Return a spec whose pipeline on a second Google Cloud target reads a bucket on the first one."""
    start, end = LEADS.index("\n  mode: cloud"), LEADS.index("stores:\n  lake")
    text = LEADS[:start] + TWO % (more, project) + LEADS[end:]
    source = "{image: 'acme.example/x:1', entrypoint: 'x.y:z'}"
    custom = f"  export: {{type: custom, target: lab, inputs: [clicks], compute: small, source: {source}}}\n"
    return text.replace("inference:\n", f"{custom}inference:\n", 1)


def test_clusters_of_one_project_need_different_namespaces() -> None:
    """Clusters in one project need different namespaces, by which IAM distinguishes their Pods."""
    assert "GCP-E019" in codes(two("acme-leads"))
    assert "GCP-E019" not in codes(two("acme-lab"))
    assert "GCP-E019" not in codes(two("acme-leads", "namespace: leads-main,"))


def test_workload_in_another_project_may_access_a_bucket() -> None:
    assert not [finding for finding in refused(two("acme-lab")) if "-W" not in finding]


def test_secrets_manager_can_be_used_only_in_clouds() -> None:
    """`via: secrets-manager` means Google's Secret Manager here, and is an error for clusters outside a cloud."""
    assert "E0413" not in codes(LEADS)


def test_a_pull_secret_named_like_a_database_login_is_refused() -> None:
    """The name is refused, because External Secrets would write the login's Secret under the same name."""
    assert "E0685" in codes(leads((VPC, f"images: {{pullSecret: runs-login}}\n  {VPC}")))
