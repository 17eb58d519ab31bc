"""Tests the order and outputs of infrastructure programs and how they are split."""

from __future__ import annotations

import pytest

from modelyard.writers.python_text import print_program
from modelyard_stacks.gcp.network import split
from modelyard_targets.gcp.lower import calls, lower
from modelyard_targets.gcp.options import Vpc, ranges_of
from tests.targets.gcp.infrastructure import LEADS, arguments, components, leads, plan_of, programs, without_database

ENDPOINT = "  score%d: {variants: {only: {model: churn@champion}}, compute: small}\n"
ADOPTED = "vpc: {adopt: shared, subnet: ml, pods: ml-pods, services: ml-services, cidr: 10.1.0.0/22}"
VPC = "vpc: {cidr: 10.20.0.0/16}"


def many(count: int) -> str:
    """Return a spec with `count` additional endpoints, each with its own identity."""
    return leads((VPC, "vpc: {cidr: 10.0.0.0/8}")) + "".join(ENDPOINT % at for at in range(count))


def homes(text: str) -> dict[str, str]:
    """Return the project that grants each workload's access."""
    return {
        call.name: folder
        for folder, program in programs(text).items()
        for call in program.calls
        if call.component == "Identity"
    }


def test_cluster_comes_after_network_and_key() -> None:
    order = [call.component for call in programs()["infrastructure"].calls]

    assert order[:6] == ["Project", "Key", "Network", "ClusterLogs", "Cluster", "NodePool"]


def test_resources_have_system_environment_target_and_owner_labels() -> None:
    assert arguments(components()["Project main"])["labels"] == {
        "modelyard-system": "leads",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "growth",
        "label-domain": "sales",
    }


def test_labels_are_converted_to_valid_google_labels() -> None:
    text = leads(("{domain: sales}", '{acme.example/Cost_Centre: "Nr.4711"}'))

    assert arguments(components(text)["Project main"])["labels"]["label-acme-example-cost_centre"] == "nr-4711"


def test_only_used_services_are_enabled() -> None:
    services = arguments(components()["Project main"])["services"]
    without = leads(
        *without_database(),
        ("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"),
    )
    fewer = arguments(components(without)["Project main"])["services"]

    assert set(services) - set(fewer) == {"artifactregistry.googleapis.com", "sqladmin.googleapis.com"}
    assert arguments(components(without)["Key leads-main"])["services"] == [
        "compute",
        "container",
        "logging",
        "secretmanager",
        "storage",
    ]


def test_exports_are_exactly_the_outputs_that_workloads_read() -> None:
    exported = {export.name for export in programs()["infrastructure"].exports}
    text = "".join(
        print_program(project.program)
        for project in lower(plan_of(), "main").projects
        if project.folder.startswith("workloads")
    )
    read = {part.partition('"]')[0] for part in text.split('infrastructure["')[1:]}

    assert {"kubeconfig", "project", "key_id", "google_ranges", "runs_secret", "runs_host"} <= read
    assert read <= exported


def test_a_network_is_created_with_its_range() -> None:
    assert arguments(components()["Network leads-main"]) == {"project": "project", "cidr": "10.20.0.0/16", "nat": True}


@pytest.mark.parametrize("size", range(8, 20))
def test_program_and_compiler_divide_ranges_in_the_same_way(size: int) -> None:
    """The program and the compiler both divide the network's address range and must accept the same sizes."""
    parts, blocks = ranges_of(Vpc(cidr=f"10.0.0.0/{size}")), split(f"10.0.0.0/{size}")

    assert (parts.nodes, parts.pods, parts.services) == (blocks.nodes, blocks.pods, blocks.services)
    assert int(parts.services.partition("/")[2]) == max(size + 3, 16)


def test_an_adopted_network_is_not_created() -> None:
    calls = components(leads((VPC, ADOPTED)))

    assert "Network leads-main" not in calls
    assert arguments(calls["AdoptedNetwork leads-main"]) == {
        "project": "project",
        "network": "shared",
        "subnetwork": "ml",
        "pods_range": "ml-pods",
        "services_range": "ml-services",
        "cidr": "10.1.0.0/22",
        "google_ranges": "199.36.153.8/30",
    }


def test_a_subnet_of_a_shared_vpc_is_in_its_host_project() -> None:
    """The subnet's full name is used, because Google would look up a short name in the cluster's own project."""
    shared = ADOPTED.replace("adopt: shared", "adopt: projects/acme-network/global/networks/shared")
    network = arguments(components(leads((VPC, shared)))["AdoptedNetwork leads-main"])

    assert network["network"] == "projects/acme-network/global/networks/shared"
    assert network["subnetwork"] == "projects/acme-network/regions/europe-west4/subnetworks/ml"


def test_public_api_accepts_only_the_ranges_in_the_spec() -> None:
    public = leads(("  vpc:", "  network: public\n  access: [192.0.2.10/32]\n  vpc:"))

    assert "public_access_cidrs" not in arguments(components()["Cluster leads-main"])
    assert arguments(components(public)["Cluster leads-main"])["public_access_cidrs"] == ["192.0.2.10/32"]


def test_a_cluster_has_the_version_of_the_spec_or_the_default() -> None:
    older = leads(("  vpc:", '  version: "1.35"\n  vpc:'))

    assert arguments(components()["Cluster leads-main"])["version"] == "1.36"
    assert arguments(components(older)["Cluster leads-main"])["version"] == "1.35"


def test_an_enterprise_has_a_standby_and_keeps_logs_for_a_year() -> None:
    calls = components(leads(("governance:", "profile: {size: enterprise}\ngovernance:")))
    database = arguments(calls["Database runs"])

    assert (database["replicas"], database["backup_days"], database["machine"]) == (True, 35, "db-custom-2-8192")
    assert arguments(calls["ClusterLogs leads-main"])["days"] == 365
    assert arguments(components()["Database runs"])["replicas"] is False


def test_bucket_has_lock_and_expiry_of_the_spec() -> None:
    audit = arguments(components()["ObjectStore audit"])

    assert audit["lock"] == {"mode": "compliance", "days": 2557}
    assert audit["versioned"] is False, "there are no earlier versions where nothing is replaced"
    assert audit["expire"] == {"audit/score": 2557}
    assert audit["bucket"].startswith("leads-audit-")


def test_image_registry_is_created_unless_the_spec_names_one() -> None:
    other = leads(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"))

    assert arguments(components()["ImageRegistry leads-main"])["repository"] == "leads-main"
    assert not [name for name in components(other) if name.startswith("ImageRegistry")]


def test_budget_and_billing_account_are_from_the_spec() -> None:
    budget = ("email: growth@acme.example}", "email: growth@acme.example}, budget: {monthly: 900.5 USD}")
    account = ("  account: acme-leads\n", "  account: acme-leads\n  billingAccount: 012345-6789AB-CDEF01\n")

    assert arguments(components(leads(budget))["Budget leads-main"]) == {
        "project": "project",
        "monthly": 901,
        "currency": "USD",
        "system": "leads",
        "emails": ["growth@acme.example"],
    }
    with_account = arguments(components(leads(budget, account))["Budget leads-main"])
    assert with_account["billing_account"] == "012345-6789AB-CDEF01"
    assert "billingbudgets.googleapis.com" in arguments(components(leads(budget))["Project main"])["services"]


def test_few_identities_stay_in_one_project() -> None:
    assert list(programs()) == ["infrastructure"]


def test_many_identities_are_split_into_several_projects() -> None:
    text = many(700)
    by_folder = programs(text)
    second = {call.component: call for call in by_folder["infrastructure-2"].calls}

    assert len(by_folder) > 1
    assert list(second)[:3] == ["Project", "Infrastructure", "AdoptedCluster"]
    assert "services" not in arguments(second["Project"]), "the first project has enabled them"
    assert arguments(second["AdoptedCluster"])["cluster_name"] == "infrastructure[cluster_name]"
    assert "stores" not in arguments(second["Identity"]), "the buckets exist by then"
    assert len(homes(text)) == len(homes(many(0))) + 700


def test_an_additional_endpoint_moves_no_identity() -> None:
    """A workload's project depends only on its name, as long as the number of projects stays the same."""
    before, after = homes(many(700)), homes(many(701))

    assert {name for name in before if before[name] != after[name]} == set()


def test_every_component_has_a_spec_path() -> None:
    origins = {f"{call.component} {call.name}": call.origin for call in calls(plan_of(), "main")}

    assert origins["ObjectStore lake"] == ("stores", "lake")
    assert origins["Identity score"] == ("inference", "score")
    assert origins["NodePool gpu-g2-standard-8-spot"] == ("compute", "gpu")
    assert origins["Network leads-main"] == ("deployment", "vpc")


def test_a_declared_rename_keeps_every_resource() -> None:
    """After a rename with `moved`, the bucket, database and access keep their names, so nothing changes."""
    renamed = LEADS.replace("lake", "pond").replace("runs:", "history:").replace("database: runs", "database: history")
    moved = renamed + "moved: {stores.pond: stores.lake, stores.history: stores.runs}\n"

    assert {name: call.arguments for name, call in components(moved).items()} == {
        name: call.arguments for name, call in components().items()
    }
