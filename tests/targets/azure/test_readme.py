"""Tests the README of an Azure target: deployment order, cost, quotas, replaced and protected resources."""

from __future__ import annotations

from modelyard_targets.azure.quotas import quotas
from tests.targets.azure.infrastructure import LEADS, arguments, components, leads, plan_of, readme, without_database
from tests.targets.azure.test_check import ADOPTED

VPC = "  vpc: {cidr: 10.20.0.0/16}"
OWNER = "email: growth@acme.example}"


def test_infrastructure_is_applied_first_then_the_image_then_the_workloads() -> None:
    apply = readme().partition("## Apply")[2].partition("## Undo")[0]

    places = [apply.index(part) for part in ("cd infrastructure", "docker push", "cd workloads", "get-credentials")]
    assert places == sorted(places)


def test_the_image_goes_to_the_registry_of_the_target_or_to_the_one_in_the_spec() -> None:
    custom = readme(leads(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:")))

    assert 'docker push "$registry"/leads/leads-runtime:' in readme()
    assert "az acr login" in readme()
    assert "imageClients" in readme()
    assert "docker push registry.acme.example/ml/leads-runtime:" in custom
    assert "imageClients" not in custom


def test_without_a_subscription_in_the_spec_the_operator_chooses_it() -> None:
    pinned = readme(leads(("  vpc:", "  account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b\n  vpc:")))

    assert "`pulumi config set azure-native:subscriptionId ID`" in readme()
    assert "subscriptionId" not in pinned
    assert "subscription 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b" in pinned


def test_an_existing_resource_group_has_to_exist() -> None:
    existing = readme(leads(("  vpc:", "  resourceGroup: rg-leads\n  vpc:")))

    assert "Resource group `rg-leads` has to exist" in existing
    assert "--resource-group rg-leads --name leads-main" in existing
    assert "has to exist, in any region" not in readme()


def test_resource_providers_are_those_in_use() -> None:
    fewer = leads(*without_database(), ("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"))

    assert "Microsoft.DBforPostgreSQL" in readme()
    assert "Microsoft.ContainerRegistry" in readme()
    assert "Microsoft.DBforPostgreSQL" not in readme(fewer)
    assert "Microsoft.ContainerRegistry" not in readme(fewer)
    assert "Microsoft.ContainerService" in readme(fewer)


def test_secrets_are_listed_under_their_name_in_key_vault() -> None:
    text = readme(leads(("secret://manager/token#value", "secret://manager/team/token#value")))

    assert "| `team-token` | value | inference.score |" in text
    assert "`pulumi stack output vault`" in text


def test_quotas_name_the_family_that_azure_counts() -> None:
    """Azure has a single quota for spot VMs of all families, and two spot pools may grow at the same time."""
    assert "| vCPUs of Standard\\_NC8as\\_T4\\_v3 | `Standard NCASv3_T4 Family` | 8 |" in readme()
    assert "| spot vCPUs in the region | `lowPriorityCores` | 48 |" in readme()
    assert "lowPriorityCores" not in readme(leads((", capacity: spot-first", "")))


def test_quotas_are_those_of_all_pools_at_their_largest() -> None:
    amounts = {quota.metric: quota.needed for quota in quotas(plan_of(), "main")}
    families = {metric: amount for metric, amount in amounts.items() if "amily" in metric}
    pools = [arguments(call) for call in components().values() if call.component == "NodePool"]

    assert amounts["cores"] == sum(families.values())
    assert amounts["standardDSv5Family"] == 4, "the pool of AKS"
    assert amounts["StandardNCADSA100v4Family"] == 24 * sum(
        pool["max_nodes"] for pool in pools if "A100" in pool["machine"] and pool["capacity"] == "on-demand"
    )


def test_prices_have_a_date_and_a_source() -> None:
    cost = readme().partition("## What it costs")[2].partition("## Machines")[0]

    assert "USD a month" in cost
    assert "| prices | of 2026-06-18, westeurope: github.com/Azure/karpenter-provider-azure@352646f" in cost


def test_every_node_pool_is_listed_with_its_bounds_and_its_name_in_aks() -> None:
    rows = [line for line in readme().splitlines() if line.startswith("| gpu |")]
    first = arguments(components()["NodePool gpu-nc8as-t4-v3-spot"])["agent_pool"]

    assert len(rows) == 5
    assert rows[0] == f"| gpu | `gpu-nc8as-t4-v3-spot` | `{first}` | Standard\\_NC8as\\_T4\\_v3, spot | 0 to 1 |"


def test_a_private_cluster_is_applied_from_inside() -> None:
    public = leads((VPC, f"  network: public\n  access: [192.0.2.10/32]\n{VPC}"))

    assert "has no public address" in readme()
    assert "`pulumi config set --path 'apiClients[0]' 10.99.0.0/16`" in readme()
    assert "has no public address" not in readme(public)


def test_what_an_adopted_network_has_to_have_is_listed() -> None:
    text = readme(leads((VPC, f"  {ADOPTED}")))
    routed = readme(leads((VPC, f"  {ADOPTED.replace('cidr:', 'outbound: routes, cidr:')}")))

    assert "`nodes` is for nodes and needs a NAT gateway" in text
    assert "needs a route table with a default route" in routed
    assert "The network is not changed" not in readme()


def test_adopted_stores_are_listed_with_those_who_open_them() -> None:
    text = readme(leads(("lake: {type: object}", 'lake: {type: object, adopt: "leads@acmeleads"}')))

    assert "| `leads@acmeleads` | registry, fit, scoring, score, promoter |" in text
    assert "`pulumi config set --path 'accounts.ACCOUNT' GROUP`" in text
    assert "These stores already exist" not in readme()


def test_a_budget_stops_nothing_and_is_in_the_currency_of_the_subscription() -> None:
    text = readme(leads((OWNER, f"{OWNER}, budget: {{monthly: 900 USD}}")))

    assert "only sends mails to growth@acme.example; nothing is stopped" in text
    assert "nothing is stopped" not in readme()


def test_what_holds_data_is_named_where_it_is_undone() -> None:
    undo = readme().partition("## Undo")[2].partition("## What it costs")[0]

    assert "database runs" in undo
    assert "store leadslake" in undo
    assert "the vault of secrets" in undo
    assert "can be recovered for 90 days after that, and that of secrets for 7: nobody can purge them before" in undo
    assert "Deleting a database deletes its backups" in undo


def test_a_lock_is_made_final_in_a_second_step() -> None:
    apply = readme().partition("## Apply")[2].partition("## Undo")[0]
    governance = readme(leads(("{mode: compliance, retain", "{mode: governance, retain")))
    unlocked = readme(leads((", objectLock: {mode: compliance, retain: 7y}", "")))

    assert "Once the objects of audit are what they should be, run this in `infrastructure`:" in apply
    assert apply.index("pulumi up") < apply.index("pulumi config set lockRetention true")
    assert "lockRetention" not in governance
    assert "an existing store cannot get a lock" in governance
    assert "lockRetention" not in unlocked
    assert "an existing store cannot get a lock" not in unlocked


def test_the_password_of_a_database_is_replaced_by_a_setting() -> None:
    assert "`pulumi config set loginVersion 2`" in readme()
    assert "loginVersion" not in readme(leads(*without_database()))


def test_nodes_of_one_zone_can_be_moved_to_another() -> None:
    workers = leads(("inputs: [clicks], compute: gpu,", "inputs: [clicks], compute: gpu, workers: 4,"))

    assert "`pulumi config set trainingZone 2`" in readme(workers)
    assert "`pulumi config set --path 'trainingZones.gpu' 3`" in readme(workers)
    assert "trainingZone" not in readme(LEADS)
