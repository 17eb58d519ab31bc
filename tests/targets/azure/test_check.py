"""Tests that features missing on Azure are reported at the correct line, and that similar valid specs pass."""

from __future__ import annotations

import pytest

from modelyard.neighbours import check_compiled
from modelyard.overlay import environments
from modelyard.pipeline import InputFile, Inputs, opened, understand
from modelyard.survey import survey
from modelyard_targets import TARGETS
from modelyard_targets.azure.check_network import CONTINENTS
from modelyard_targets.azure.machines import regions
from tests.diagnosing import Question, examine
from tests.narrowing import present
from tests.targets.azure.infrastructure import LEADS, changed, codes, leads, refused

VPC = "vpc: {cidr: 10.20.0.0/16}"
LAKE = "  lake: {type: object}"
RUNS = "  runs: {type: database}"
OWNER = "email: growth@acme.example}"
GPU = "gpu: {cpu: 4, memory: 16Gi, "
FREE = "free: {cpu: 2, memory: 8Gi, disk: 30Gi}"
VNET = (
    "/subscriptions/3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b/resourceGroups/network/providers/Microsoft.Network"
    "/virtualNetworks/shared"
)
ADOPTED = f"vpc: {{adopt: {VNET}, subnet: nodes, endpoints: endpoints, apiServer: api, cidr: 10.20.0.0/22}}"
KEYS = 'credentials: "secret://manager/lake"'
TOKEN = "secret://manager/token#value"
LABELS = "{domain: sales}"


def test_nothing_is_wrong_with_the_spec() -> None:
    assert refused(LEADS) == []


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("region: westeurope", "region: west-europe", "AZURE-E002"),
        ("region: westeurope", "region: europe-west4", "AZURE-E002"),
        (VPC, f'version: "1.21"\n  {VPC}', "AZURE-E001"),
        (VPC, "vpc: {cidr: 10.20.0.0/21}", "AZURE-E003"),
        (VPC, "vpc: {cidr: 10.0.0.0/8}", "AZURE-E003"),
        (VPC, "vpc: {cidr: 10.20.1.0/16}", "AZURE-E003"),
        (VPC, "vpc: {cidr: 8.8.0.0/16}", "AZURE-E003"),
        (VPC, "vpc: {cidr: 172.30.0.0/16}", "AZURE-E003"),
        (VPC, 'vpc: {cidr: "fd00::/16"}', "AZURE-E003"),
        (VPC, f"{ADOPTED}\n  account: 7d6c5b4a-3f2e-4d1c-8b9a-0f1e2d3c4b5a", "AZURE-E021"),
        (VPC, ADOPTED.replace("10.20.0.0/22", "100.64.0.0/16"), "AZURE-E003"),
        (VPC, "vpc: {cidr: 10.20.0.0/16, nat: none}", "AZURE-E008"),
        (RUNS, "  runs: {type: database, size: 32Ti}", "AZURE-E005"),
        (RUNS, "  runs: {type: database, replicas: 3}", "AZURE-W009"),
        (RUNS, '  runs: {type: database, credentials: "secret://manager/db"}', "E0625"),
        (RUNS, "  runs: {type: database, adopt: db.acme.example/mlflow}", "E0626"),
        (LAKE, "  lake: {type: object, adopt: acme-lake}", "E0698"),
        (LAKE, '  lake: {type: object, adopt: "acme--lake@acme"}', "AZURE-E020"),
        (LAKE, '  lake: {type: object, adopt: "acme_lake@acme"}', "AZURE-E020"),
        (LAKE, '  lake: {type: object, endpoint: "https://s3.acme.example"}', "AZURE-E007"),
        (LAKE, '  lake: {type: object, credentials: "secret://manager/lake"}', "AZURE-E007"),
        (LAKE, "  lake: {type: object, region: northeurope}", "AZURE-E015"),
        (LAKE, '  lake: {type: object, adopt: "acme-lake@acme", versioned: true}', "E0624"),
        (OWNER, f"{OWNER}, budget: {{monthly: 900 EUR}}", "AZURE-E010"),
        (GPU, "gpu: {cpu: 4, memory: 16Gi, disk: 2Ti, ", "AZURE-E017"),
        (TOKEN, f"secret://manager/{'t' * 128}#value", "AZURE-E018"),
        (LABELS, "{a: a, b: b, c: c, d: d, e: e, f: f, g: g, h: h, i: i, j: j, k: k, l: l}", "AZURE-E006"),
    ],
)
def test_it_is_refused(before: str, after: str, code: str) -> None:
    assert code in codes(leads((before, after)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (VPC, f'version: "1.35"\n  {VPC}'),
        (VPC, "vpc: {cidr: 10.20.0.0/19}"),
        (VPC, "vpc: {cidr: 10.0.0.0/10}"),
        (VPC, "vpc: {cidr: 100.64.0.0/16}"),
        (VPC, "vpc: {cidr: 10.20.0.0/16, nat: per-zone}"),
        (VPC, ADOPTED),
        (VPC, f"{ADOPTED}\n  account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b"),
        (RUNS, "  runs: {type: database, size: 5Gi, replicas: 2}"),
        (RUNS, "  runs: {type: database, size: 31Ti}"),
        (LAKE, '  lake: {type: object, adopt: "acme-lake@acme"}'),
        (LAKE, "  lake: {type: object, region: westeurope}"),
        (LAKE, '  lake: {type: object, adopt: "acme-lake@acme", region: northeurope}'),
        (LAKE, f'  lake: {{type: object, adopt: acme-lake, endpoint: "https://s3.acme.example", {KEYS}}}'),
        (OWNER, f"{OWNER}, budget: {{monthly: 90000 USD}}"),
        (GPU, "gpu: {cpu: 4, memory: 16Gi, disk: 1900Gi, "),
        (FREE, "free: {cpu: 2, memory: 8Gi, disk: 30Gi, elastic: true}"),
        (TOKEN, "secret://manager/team_1/token.2#value"),
        (LABELS, "{a: a, b: b, c: c, d: d, e: e, f: f, g: g, h: h, i: i, j: j, k: k}"),
    ],
)
def test_what_is_near_it_passes(before: str, after: str) -> None:
    assert refused(leads((before, after))) == []


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        (VPC, ADOPTED.replace("10.20.0.0/22", '"fd00::/64"'), "use the IPv4 range of the network"),
        (VPC, "vpc: {cidr: 10.20.0.0/21}", "use a private IPv4 range from /10 to /20, such as 10.20.0.0/16"),
        (VPC, 'vpc: {cidr: 10.20.0.0/16}\n  version: "1.21"', "set `version: '1.37'`, or omit it"),
        ("region: westeurope", "region: west-europe", "did you mean 'westeurope'?"),
        (
            "region: westeurope",
            "region: eu-central-1",
            "this is another cloud's region; nearby Azure regions are westeurope, northeurope, germanywestcentral,"
            " francecentral, swedencentral",
        ),
    ],
)
def test_the_hint_names_what_to_change(before: str, after: str, hint: str) -> None:
    hints = [each.hint for each in examine(Question(leads((before, after)))) if each.code.startswith("AZURE-E")]

    assert hints == [hint]


@pytest.mark.parametrize(
    ("region", "there"),
    [("us-east-1", "eastus2"), ("europe-north1-a", "swedencentral"), ("asia-southeast1", "southeastasia")],
)
def test_a_region_of_another_cloud_gets_those_of_its_continent(region: str, there: str) -> None:
    text = leads(("region: westeurope", f"region: {region}"))
    (diagnostic,) = [each for each in examine(Question(text)) if each.code == "AZURE-E002"]

    assert diagnostic.hint.startswith("this is another cloud's region; nearby Azure regions are ")
    assert there in diagnostic.hint


def test_the_regions_that_hints_name_exist() -> None:
    assert {region for nearby in CONTINENTS.values() for region in nearby} <= set(regions())


def test_nodes_count_for_each_class_once_and_for_both_pools_beside_them() -> None:
    """A class counts once, because its node pools are alternatives. A /19 range has addresses for 16 nodes."""
    narrow = (VPC, "vpc: {cidr: 10.20.0.0/19}")
    few = leads(narrow, ("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 2}\n"))
    many = leads(narrow, ("    compute: small\n", "    compute: small\n    replicas: {min: 1, max: 20}\n"))

    assert "AZURE-E004" not in codes(few)
    assert "AZURE-E004" in codes(many)
    assert "AZURE-E004" not in codes(changed((narrow[1], VPC), text=many))


def test_two_labels_of_the_spec_cannot_become_one_tag() -> None:
    """Azure ignores case in tag names, so two labels that differ only in case would become one tag."""
    assert "AZURE-E011" in codes(leads((LABELS, "{Centre: a, centre: b}")))
    assert "AZURE-E011" in codes(leads((LABELS, "{cost-centre: a, cost/centre: b}")))
    assert "AZURE-E011" not in codes(leads((LABELS, "{cost.centre: a, cost_centre: b}")))


@pytest.mark.parametrize(
    ("uri", "reported"),
    [
        ("abfss://lake@acme.dfs.core.windows.net/clicks/", True),
        ("gs://acme-lake/clicks/", True),
        ("s3://acme-lake/clicks/", True),
    ],
)
def test_a_dataset_is_opened_in_a_store_alone(uri: str, reported: bool) -> None:
    """Workloads have identities only for stores. The owner of another storage account could not grant them access."""
    clicks = "clicks: {format: parquet, store: lake, path: clicks,"

    assert ("E0697" in codes(leads((clicks, f'clicks: {{format: parquet, uri: "{uri}",')))) is reported


TWO = """
  mode: cloud
  targets:
    main: {provider: azure, region: westeurope, vpc: {cidr: 10.20.0.0/16}, %s
      secretStores: {manager: {via: secrets-manager, refresh: 15m}}}
    lab: {provider: azure, region: northeurope, vpc: {cidr: 10.30.0.0/16}, %s}
  placement: {default: main}
"""


def two(main: str = "", lab: str = "") -> str:
    """Return a spec whose pipeline on a second Azure target reads a store on the first one."""
    start, end = LEADS.index("\n  mode: cloud"), LEADS.index("stores:\n  lake")
    text = LEADS[:start] + TWO % (main, lab) + LEADS[end:]
    source = "{image: 'acme.example/x:1', entrypoint: 'x.y:z'}"
    custom = f"  export: {{type: custom, target: lab, inputs: [clicks], compute: small, source: {source}}}\n"
    return text.replace("inference:\n", f"{custom}inference:\n", 1)


def test_each_target_has_a_resource_group_of_its_own() -> None:
    """Private DNS zones would clash in a shared resource group, whose name Azure treats as case-insensitive."""
    group, other = "resourceGroup: rg-ml,", "resourceGroup: RG-ML,"
    elsewhere = "account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b,"

    assert "AZURE-E019" in codes(two(group, other))
    assert "AZURE-E019" not in codes(two(group))
    assert "AZURE-E019" not in codes(two(group, f"{other} {elsewhere}"))


SUBSCRIPTION = "account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b"
GROUP = (f"  {VPC}", f"  {SUBSCRIPTION}\n  resourceGroup: rg-ml\n  {VPC}")
ENVIRONMENTS = "environments:\n  prod: {}\n  staging: %s\n"


@pytest.mark.parametrize(
    ("changes", "staging", "reported"),
    [
        ((GROUP,), "{}", ["E0526"]),
        ((GROUP,), "{deployment: {resourceGroup: rg-ml-staging}}", []),
        ((GROUP,), "{deployment: {account: 7d6c5b4a-3f2e-4d1c-8b9a-0f1e2d3c4b5a}}", []),
        (((GROUP[0], GROUP[1].replace(f"  {SUBSCRIPTION}\n", "")),), "{}", []),
        ((), "{}", []),
    ],
)
def test_each_environment_has_a_resource_group_of_its_own(
    changes: tuple[tuple[str, str], ...], staging: str, reported: list[str]
) -> None:
    """Each environment's stack may use a different subscription, unless the spec names one."""
    inputs = Inputs(InputFile("system.yaml", leads(*changes) + ENVIRONMENTS % staging))
    diagnostics = survey(inputs, opened(inputs), ["prod", "staging"], TARGETS).diagnostics

    assert [each.code for each in diagnostics] == reported


def test_compiling_one_environment_compares_its_group_with_the_others() -> None:
    text = leads(GROUP) + ENVIRONMENTS % "{}"
    inputs = Inputs(InputFile("system.yaml", text), "staging")
    spec = opened(inputs)
    plan = present(understand(inputs, TARGETS, spec).plan)

    diagnostics = check_compiled(inputs, plan, spec, environments(present(spec.document)), TARGETS)
    assert [each.code for each in diagnostics] == ["E0526"]


def test_a_workload_of_another_group_may_open_a_store() -> None:
    assert not [finding for finding in refused(two()) if "-W" not in finding]


def test_the_login_of_a_managed_database_is_refused_by_its_name() -> None:
    """External Secrets writes the database login to a Secret named after the store, with the suffix `-login`."""
    assert "E0685" in codes(leads((VPC, f"images: {{pullSecret: runs-login}}\n  {VPC}")))
