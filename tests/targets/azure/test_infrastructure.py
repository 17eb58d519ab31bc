"""Tests the order and outputs of infrastructure programs and how they are split."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from modelyard.patterns import pattern
from modelyard.spec import TargetSpec
from modelyard.writers.python_text import print_program
from modelyard_targets.azure.lower import calls, lower
from modelyard_targets.azure.options import AzureOptions, Vpc, ranges_of
from tests.targets.azure.infrastructure import (
    LEADS,
    arguments,
    components,
    emitted,
    leads,
    plan_of,
    programs,
    workload_calls,
)
from tests.targets.azure.test_check import ADOPTED, two

ENDPOINT = "  score%d: {variants: {only: {model: churn@champion}}, compute: small}\n"
VPC = "vpc: {cidr: 10.20.0.0/16}"
ACCOUNT = pattern("[a-z0-9]{3,24}")
CONTAINER = pattern("[a-z0-9](-?[a-z0-9]){2,62}")
REGISTRY = pattern("[a-zA-Z0-9]{5,50}")
SERVER = pattern("[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""Patterns that names must match, from Azure/bicep-types-az@1f896de2d and its resource-name-rules."""


def many(count: int) -> str:
    """Return a spec with `count` additional endpoints, each with its own identity."""
    return leads((VPC, "vpc: {cidr: 10.0.0.0/10}")) + "".join(ENDPOINT % at for at in range(count))


def homes(text: str) -> dict[str, str]:
    """Return the project that creates each workload's identity."""
    return {
        call.name: folder
        for folder, program in programs(text).items()
        for call in program.calls
        if call.component == "Identity"
    }


def test_the_cluster_follows_what_it_stands_on() -> None:
    order = [call.component for call in programs()["infrastructure"].calls]

    assert order[:5] == ["ResourceGroup", "Key", "Network", "Cluster", "NodePool"]


def test_everything_carries_the_system_environment_target_and_owner() -> None:
    assert arguments(components()["ResourceGroup main"])["tags"] == {
        "modelyard-system": "leads",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "growth",
        "label-domain": "sales",
    }


def test_tags_are_spelled_as_azure_allows() -> None:
    text = leads(("{domain: sales}", '{acme.example/Cost_Centre: "Nr.4711"}'))

    assert arguments(components(text)["ResourceGroup main"])["tags"]["label-acme.example-cost_centre"] == "Nr.4711"


def test_a_resource_group_is_created_unless_the_spec_names_one() -> None:
    replacement = (
        "  vpc:",
        "  account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b\n  tenant: 9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d\n"
        "  resourceGroup: rg-leads\n  vpc:",
    )
    created, existing = (
        arguments(components(leads(*changes))["ResourceGroup main"]) for changes in ((), (replacement,))
    )

    assert (created["group"], created["region"]) == ("leads-main", "westeurope")
    assert not {"adopted", "subscription_id", "tenant_id"} & set(created)
    assert (existing["group"], existing["adopted"]) == ("rg-leads", True)
    assert existing["subscription_id"] == "3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b"
    assert existing["tenant_id"] == "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d"


def test_exports_are_what_the_workloads_read() -> None:
    exported = {export.name for export in programs()["infrastructure"].exports}
    text = "".join(
        print_program(project.program)
        for project in lower(plan_of(), "main").projects
        if project.folder.startswith("workloads")
    )
    read = {part.partition('"]')[0] for part in text.split('infrastructure["')[1:]}

    assert {"kubeconfig", "vault_url", "storage_ranges", "runs_secret", "runs_host", "score_client_id"} <= read
    assert read <= exported


def test_a_network_is_created_with_its_range() -> None:
    assert arguments(components()["Network leads-main"]) == {"group": "group", "cidr": "10.20.0.0/16"}


@pytest.mark.parametrize("size", range(10, 21))
def test_the_parts_of_a_network_do_not_overlap(size: int) -> None:
    target = TargetSpec("main", "azure", options=AzureOptions(vpc=Vpc(cidr=f"10.0.0.0/{size}")))
    ranges = ranges_of(target)
    parts = [IPv4Network(part) for part in (ranges.nodes, ranges.endpoints, ranges.api, ranges.services, ranges.pods)]

    assert all(part.subnet_of(IPv4Network(f"10.0.0.0/{size}")) for part in parts)
    assert not [
        (first, second) for first in parts for second in parts if first is not second and first.overlaps(second)
    ]
    assert (parts[-1].prefixlen, parts[0].prefixlen) == (size + 1, size + 2)
    assert parts[3].prefixlen == max(size + 3, 16)


def test_an_adopted_network_is_not_created() -> None:
    calls = components(leads((VPC, ADOPTED)))
    network = arguments(calls["AdoptedNetwork leads-main"])

    assert "Network leads-main" not in calls
    assert (network["nodes"], network["endpoints"], network["api_server"]) == ("nodes", "endpoints", "api")
    assert (network["cidr"], network["endpoints_cidr"], network["api_cidr"]) == ("10.20.0.0/22",) * 3
    assert (network["pods_cidr"], network["services_cidr"]) == ("100.64.0.0/11", "100.96.0.0/16")
    assert network["outbound"] == "nat"
    assert "dns_group" not in network


def test_the_way_out_and_the_zones_of_an_adopted_network_are_those_of_its_owner() -> None:
    group = "/subscriptions/3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b/resourceGroups/dns"
    text = leads((VPC, ADOPTED.replace("cidr:", f"outbound: routes, dnsGroup: {group}, cidr:")))
    network = arguments(components(text)["AdoptedNetwork leads-main"])

    assert (network["outbound"], network["dns_group"]) == ("routes", group)


def test_a_public_address_of_the_api_admits_the_ranges_of_the_spec_alone() -> None:
    public = leads(("  vpc:", "  network: public\n  access: [192.0.2.10/32]\n  vpc:"))

    assert "public_access_cidrs" not in arguments(components()["Cluster leads-main"])
    assert arguments(components(public)["Cluster leads-main"])["public_access_cidrs"] == ["192.0.2.10/32"]


def test_a_cluster_has_the_version_of_the_spec_or_the_default() -> None:
    older = leads(("  vpc:", '  version: "1.35"\n  vpc:'))

    assert arguments(components()["Cluster leads-main"])["version"] == "1.36"
    assert arguments(components(older)["Cluster leads-main"])["version"] == "1.35"


def test_an_enterprise_has_a_standby_three_zones_of_storage_and_logs_for_a_year() -> None:
    calls = components(leads(("governance:", "profile: {size: enterprise}\ngovernance:")))
    database = arguments(calls["Database runs"])

    assert (database["replicas"], database["backup_days"], database["machine"]) == (True, 35, "Standard_D2ds_v5")
    assert arguments(calls["ClusterLogs leads-main"])["days"] == 365
    assert arguments(calls["ObjectStore lake"])["redundancy"] == "ZRS"
    assert arguments(calls["Cluster leads-main"])["nodes"] == 3
    assert arguments(components()["Database runs"])["replicas"] is False


def test_a_database_with_a_standby_is_not_burstable() -> None:
    standby = leads(("runs: {type: database}", "runs: {type: database, replicas: 2}"))

    assert arguments(components(standby)["Database runs"])["machine"] == "Standard_D2ds_v5"
    assert arguments(components()["Database runs"])["machine"] == "Standard_B2s"


@pytest.mark.parametrize(("size", "gib"), [("20Gi", 32), ("33Gi", 64), ("3Ti", 4095), ("5Ti", 8192)])
def test_the_disk_of_a_database_is_the_next_step_of_azure(size: str, gib: int) -> None:
    text = leads(("runs: {type: database}", f"runs: {{type: database, size: {size}}}"))

    assert arguments(components(text)["Database runs"])["storage_gib"] == gib


def test_a_store_keeps_what_the_spec_says() -> None:
    audit = arguments(components()["ObjectStore audit"])

    assert audit["lock"] == {"mode": "compliance", "days": 2557}
    assert audit["expire"] == {"audit/score": 2557}
    assert audit["versioned"] is True
    assert audit["container"] == "leads-audit"


@pytest.mark.parametrize("name", ["leads", "a", "x" * 30, "a-long-name-for-a-small-system"])
def test_names_that_all_of_azure_shares_fit_and_depend_on_the_company(name: str) -> None:
    """The names of storage accounts and the database server don't change if another team takes over the system."""
    original = components(leads(("name: leads", f"name: {name}")))
    other = components(leads(("name: leads", f"name: {name}"), ("growth@acme.example", "growth@other.example")))
    moved = components(leads(("name: leads", f"name: {name}"), ("team: growth", "team: sales")))
    here, there, after = (
        [
            arguments(call)[field]
            for call in calls.values()
            for field in ("account", "registry", "server")
            if field in arguments(call)
        ]
        for calls in (original, other, moved)
    )

    assert len(here) == 4
    assert not set(here) & set(there)
    assert after == here
    for call in original.values():
        inputs = arguments(call)
        assert ACCOUNT.fullmatch(inputs.get("account", "abc"))
        assert CONTAINER.fullmatch(inputs.get("container", "abc"))
        assert REGISTRY.fullmatch(inputs.get("registry", "abcde"))
        assert SERVER.fullmatch(inputs.get("server", "abc"))


def test_every_store_has_an_account_of_its_own() -> None:
    """Truncated storage account names remain distinct for stores whose names share a prefix."""
    text = leads(
        ("  runs: {type: database}", "  lake-of-all-clicks-1: {type: object}\n  runs: {type: database}"),
        ("  runs: {type: database}", "  lake-of-all-clicks-2: {type: object}\n  runs: {type: database}"),
    )
    accounts = [arguments(call)["account"] for call in components(text).values() if call.component == "ObjectStore"]

    assert len(set(accounts)) == 4


def test_images_are_kept_in_a_registry_of_the_target_unless_another_is_named() -> None:
    other = leads(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"))

    assert arguments(components()["ImageRegistry leads-main"])["registry"].startswith("leadsmain")
    assert not [name for name in components(other) if name.startswith("ImageRegistry")]


def test_the_budget_is_that_of_the_spec_and_counts_every_group_of_the_subscription() -> None:
    budget = ("email: growth@acme.example}", "email: growth@acme.example}, budget: {monthly: 900.5 USD}")
    several = two().replace(*budget)

    assert arguments(components(leads(budget))["Budget leads-main"]) == {
        "group": "group",
        "monthly": 901,
        "emails": ["growth@acme.example"],
    }
    assert arguments(components(several, "lab")["Budget leads-lab"])["groups"] == ["leads-main", "leads-main-nodes"]
    assert not [name for name in components(several) if name.startswith("Budget")]


def test_targets_of_several_subscriptions_have_a_budget_each() -> None:
    """Each subscription has its own budget, because a budget covers resource groups in a single subscription."""
    budget = ("email: growth@acme.example}", "email: growth@acme.example}, budget: {monthly: 900.5 USD}")
    text = two("account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b,").replace(*budget)

    assert [name for name in components(text) if name.startswith("Budget")] == ["Budget leads-main"]
    assert [name for name in components(text, "lab") if name.startswith("Budget")] == ["Budget leads-lab"]


def test_few_identities_stay_in_one_project() -> None:
    assert list(programs()) == ["infrastructure"]
    assert "infrastructure2" not in workload_calls()


def test_many_identities_become_several_projects_that_know_the_first_by_its_outputs() -> None:
    text = many(300)
    by_folder = programs(text)
    second = {call.component: call for call in by_folder["infrastructure-2"].calls}

    assert len(by_folder) > 1
    assert list(second)[:3] == ["ResourceGroup", "Infrastructure", "AdoptedCluster"]
    assert arguments(second["ResourceGroup"])["adopted"] is True
    assert arguments(second["AdoptedCluster"])["issuer"] == "infrastructure[issuer]"
    assert "stores" not in arguments(second["Identity"]), "they exist by then"
    assert arguments(second["Identity"])["roles"] == "leads-main", "the roles exist by then, so their name suffices"
    assert len(homes(text)) == len(homes(many(0))) + 300


def test_workloads_read_client_ids_from_the_project_that_has_them() -> None:
    text = many(300)
    moved = next(name for name, folder in homes(text).items() if folder == "infrastructure-2")
    output = f"{moved}_client_id"
    (project,) = [each for each in lower(plan_of(text), "main").projects if each.folder == "workloads"]
    reference = next(call for call in project.program.calls if call.variable == "infrastructure2")
    replaced = {
        text: value
        for project in lower(plan_of(text), "main").projects
        for call in project.program.calls
        for text, value in arguments(call).get("annotations", {}).items()
    }

    assert (reference.component, reference.name) == ("Infrastructure", "leads-main-infrastructure-2")
    assert arguments(reference) == {"setting": "infrastructure2"}
    assert replaced[f"{moved}.identity.invalid"] == f"infrastructure2[{output}]"
    assert output in {export.name for export in programs(text)["infrastructure-2"].exports}
    assert len(replaced) == len(homes(text))


def test_a_further_endpoint_moves_no_identity() -> None:
    """A workload's project depends only on its name, as long as the number of projects stays the same."""
    before, after = homes(many(300)), homes(many(301))

    assert {name for name in before if before[name] != after[name]} == set()


def test_components_trace_back_to_the_spec() -> None:
    origins = {f"{call.component} {call.name}": call.origin for call in calls(plan_of(), "main")}

    assert origins["ObjectStore lake"] == ("stores", "lake")
    assert origins["Identity score"] == ("inference", "score")
    assert origins["NodePool gpu-nc8as-t4-v3-spot"] == ("compute", "gpu")
    assert origins["Network leads-main"] == ("deployment", "vpc")


def test_a_rename_that_is_declared_keeps_every_resource() -> None:
    """The storage account, database and access keep their names, so `pulumi up` is a no-op."""
    renamed = LEADS.replace("lake", "pond").replace("runs:", "history:").replace("database: runs", "database: history")
    moved = renamed + "moved: {stores.pond: stores.lake, stores.history: stores.runs}\n"

    assert {name: call.arguments for name, call in components(moved).items()} == {
        name: call.arguments for name, call in components().items()
    }


def test_no_object_of_the_cluster_needs_an_image_that_is_known_later() -> None:
    """No object needs a placeholder for the image registry, whose name is known at compile time."""
    assert "registry.invalid" not in str(emitted())
