"""Tests the README of a Google Cloud target: deployment order, cost, quotas and protected resources."""

from __future__ import annotations

from tests.targets.gcp.infrastructure import LEADS, arguments, components, leads, readme, without_database

VPC = "  vpc: {cidr: 10.20.0.0/16}"
OWNER = "email: growth@acme.example}"


def test_infrastructure_is_applied_first_then_the_image_then_the_workloads() -> None:
    apply = readme().partition("## Apply")[2].partition("## Undo")[0]

    places = [apply.index(part) for part in ("cd infrastructure", "docker push", "cd workloads", "get-credentials")]
    assert places == sorted(places)


def test_image_is_pushed_to_the_project_or_the_named_registry() -> None:
    custom = readme(leads(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:")))

    assert 'docker push "$registry"/leads-runtime:' in readme()
    assert "gcloud auth configure-docker europe-west4-docker.pkg.dev" in readme()
    assert "docker push registry.acme.example/ml/leads-runtime:" in custom
    assert "image_registry" not in custom


def test_without_a_project_the_readme_explains_how_to_set_it() -> None:
    text = readme(leads(("  account: acme-leads\n", "")))

    assert "`pulumi config set gcp:project PROJECT`" in text
    assert "gcp:project" not in readme()


def test_secrets_are_listed_under_their_name_in_secret_manager() -> None:
    text = readme(leads(("secret://manager/token#value", "secret://manager/team/token#value")))

    assert "| `team-token` | value | inference.score |" in text


def test_a_secret_that_two_namespaces_read_is_listed_once() -> None:
    """A channel's secret is listed once, although Alertmanager and workloads read it in two namespaces."""
    channel = 'channels: {pager: {type: pagerduty, key: "secret://manager/pager#key"}}\n'
    text = readme(leads((OWNER, "email: growth@acme.example, oncall: pager}")) + channel)

    assert text.count("| `pager` | key |") == 1


def test_quotas_for_gpus_name_their_metric() -> None:
    """Spot and on-demand GPUs have separate quotas. The spot quota must cover both spot pools."""
    assert "| L4 GPUs, spot | `PREEMPTIBLE_NVIDIA_L4_GPUS` | 2 |" in readme()
    assert "| L4 GPUs, on demand | `NVIDIA_L4_GPUS` | 1 |" in readme()
    assert "| GPUs in all regions | `GPUS_ALL_REGIONS` | 5 |" in readme()
    assert "GPUS_ALL_REGIONS" not in readme(leads((', accelerators: ["L4:1", "A100:1"]', "")))


def test_the_disk_quota_covers_all_nodes() -> None:
    """A new project's 500 GB quota is too small for six nodes.

    N4 machines use Hyperdisk, which has a separate quota.
    """
    calls = components()
    disks = [arguments(call) for call in calls.values() if call.component == "NodePool"]
    disk_gib = sum(each["max_nodes"] * each["disk_gib"] for each in disks if each["disk_type"] == "pd-balanced")

    assert disk_gib >= 500
    assert f"| GiB of Persistent Disks, for nodes | `SSD_TOTAL_GB` | {disk_gib} |" in readme()


def test_required_logins_and_services_are_listed() -> None:
    before = readme().partition("## Before the first time")[2].partition("## Apply")[0]

    assert "`gcloud auth login`" in before
    assert "`gcloud services enable serviceusage.googleapis.com cloudresourcemanager.googleapis.com`" in before


def test_prices_have_a_date_and_a_source() -> None:
    cost = readme().partition("## What it costs")[2].partition("## Machines")[0]

    assert "USD a month" in cost
    assert "| prices | of 2026-08-03, europe-west4: github.com/cloudpilot-ai/karpenter-provider-gcp@373e2ba" in cost


def test_every_node_pool_is_listed_with_its_bounds() -> None:
    rows = [line for line in readme().splitlines() if line.startswith("| gpu |")]

    assert len(rows) == 5
    assert rows[0] == "| gpu | `gpu-g2-standard-8-spot` | g2-standard-8, spot | 0 to 1 |"


def test_a_private_cluster_is_applied_from_inside_or_through_its_dns_endpoint() -> None:
    public = leads((VPC, f"  network: public\n  access: [192.0.2.10/32]\n{VPC}"))

    assert "has no public address" in readme()
    assert "`pulumi config set dnsEndpoint true`" in readme()
    assert "has no public address" not in readme(public)
    assert "--internal-ip" not in readme(public)


def test_requirements_for_an_adopted_network_are_listed() -> None:
    adopted = "  vpc: {adopt: shared, subnet: ml, pods: pods, services: services, cidr: 10.1.0.0/22}"

    assert "Subnet `ml` needs Private Google Access" in readme(leads((VPC, adopted)))
    assert "Private Google Access" not in readme()


def test_required_network_connections_are_listed() -> None:
    closed = "  vpc: {cidr: 10.20.0.0/16, nat: none}\n  images: {registry: %s, mirror: true}"
    elsewhere = readme(leads((VPC, closed % "registry.acme.example/ml")))
    google = readme(leads((VPC, closed % "europe-west4-docker.pkg.dev/acme/ml")))

    assert "connect the network `10.20.0.0/16` to registry.acme.example: with a VPN" in elsewhere
    assert "connect the network" not in google
    assert "connect the network" not in readme()


def test_adopted_buckets_are_listed_with_their_users() -> None:
    text = readme(leads(("lake: {type: object}", "lake: {type: object, adopt: acme-leads}")))

    assert "| `acme-leads` | registry, fit, scoring, score, promoter |" in text
    assert "These buckets already exist" not in readme()


def test_readme_explains_that_a_budget_stops_nothing() -> None:
    text = readme(leads((OWNER, f"{OWNER}, budget: {{monthly: 900 USD}}")))

    assert "only sends mails to growth@acme.example; nothing is stopped" in text
    assert "nothing is stopped" not in readme()


def test_undo_section_lists_resources_with_data() -> None:
    undo = readme().partition("## Undo")[2].partition("## What it costs")[0]

    assert "database runs" in undo
    assert "bucket leads-lake-" in undo
    assert "image repository leads-main" in undo
    assert "key stays with all its versions" in undo
    assert "firewall-rules list --filter=network~leads-main" in undo


def test_readme_explains_password_rotation() -> None:
    without = leads(
        *without_database(),
    )

    assert "`pulumi config set loginVersion 2`" in readme()
    assert "loginVersion" not in readme(without)


def test_readme_explains_how_to_change_the_training_zone() -> None:
    workers = leads(("inputs: [clicks], compute: gpu,", "inputs: [clicks], compute: gpu, workers: 4,"))

    assert "`pulumi config set trainingZone 2`" in readme(workers)
    assert "`pulumi config set --path 'trainingZones.gpu' europe-west4-b`" in readme(workers)
    assert "trainingZone" not in readme(LEADS)
