"""Tests the README of an AWS target: prerequisites, deployment order, cost and protected resources."""

from __future__ import annotations

from modelyard_targets.aws.lower import lower
from tests.targets.aws.infrastructure import HYBRID, LEADS, changed, plan_of


def readme(text: str = LEADS) -> str:
    return next(document.text() for document in lower(plan_of(text), "main").texts if document.path == "README.md")


def test_required_secrets_are_listed() -> None:
    text = readme(LEADS)

    assert "These secrets have to be in Secrets Manager in `eu-central-1`" in text
    assert "| `token` | value | inference.score |" in text


def test_readme_explains_pulumi_state() -> None:
    assert "`pulumi login s3://BUCKET`" in readme().partition("## Apply")[0]


def test_image_is_built_for_amd64() -> None:
    """The image build command sets the nodes' platform, because Docker defaults to the local one."""
    assert 'docker build --platform linux/amd64 -t "$registry"/' in readme()


def test_a_secret_that_two_namespaces_read_is_listed_once() -> None:
    """An alert channel's Secret is listed only once in the README, even though two namespaces need it."""
    channel = 'channels: {pager: {type: pagerduty, key: "secret://manager/pager#key"}}\n'
    text = readme(changed(("email: growth@acme.example}", "email: growth@acme.example, oncall: pager}")) + channel)

    assert text.count("| `pager` | key | channels.pager |") == 1


def test_requirements_for_an_adopted_network_are_listed() -> None:
    adopted = (
        "vpc: {cidr: 10.20.0.0/16}",
        "vpc: {adopt: vpc-0a1b2c3d4e5f60718, cidr: 10.0.0.0/16, subnets: [subnet-0a1b2c3d4e5f60718, "
        "subnet-0f9e8d7c6b5a43210]}",
    )

    assert "The subnets of `vpc-0a1b2c3d4e5f60718` must be private" in readme(changed(adopted))
    assert "The subnets of" not in readme(LEADS)


def test_infrastructure_is_applied_first_then_the_image_then_the_workloads() -> None:
    apply = readme().partition("## Apply")[2].partition("## Undo")[0]

    places = [apply.index(part) for part in ("cd infrastructure", "docker push", "cd workloads")]
    assert places == sorted(places)


def test_strict_network_policies_are_enabled_last() -> None:
    """The README enables strict network policies only once CoreDNS has its policy."""
    apply = readme().partition("## Apply")[2].partition("## Undo")[0]
    order = ("networkPolicies standard", "cd workloads", "config rm networkPolicies")

    places = [apply.index(part) for part in order]
    assert places == sorted(places)


def test_image_is_pushed_to_the_account_or_the_named_registry() -> None:
    custom = readme(changed(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:")))

    assert "stack output image_registry" in readme()
    assert 'docker push "$registry"/leads-main/leads-runtime:' in readme()
    assert "docker push registry.acme.example/ml/leads-runtime:" in custom
    assert "image_registry" not in custom


def test_prices_from_another_region_are_marked() -> None:
    """A price from us-east-1, such as that of g7e in Frankfurt, is marked as such."""
    text = readme(changed(('["L4:1", "A10G:1"]', '"RTX-PRO-6000:1"')))

    assert "(price of us-east-1 × 1.2" in text
    assert "none is known of us-east-1" not in readme(changed(("region: eu-central-1", "region: us-east-1")))


def test_prices_have_a_date_and_a_source() -> None:
    cost = readme().partition("## What it costs")[2].partition("## Machines")[0]

    assert "USD a month" in cost
    assert "| prices | of 2025-05-28, eu-central-1: EC2's price list" in cost


def test_protected_resources_are_listed() -> None:
    undo = readme(HYBRID).partition("## Undo")[2].partition("## What it costs")[0]

    assert "database registry-db" in undo
    assert "acme-fraud-lake" not in undo


def test_every_group_of_machines_is_listed_with_its_bounds() -> None:
    rows = [line for line in readme().splitlines() if line.startswith("| gpu |")]

    assert len(rows) == 4
    assert all("0 to 1" in row for row in rows)


def test_a_private_cluster_is_applied_from_inside() -> None:
    public = changed(("  vpc:", "  network: public\n  access: [192.0.2.10/32]\n  vpc:"))

    assert "has no public address" in readme()
    assert "has no public address" not in readme(public)


def test_connections_are_listed() -> None:
    links = readme(HYBRID).partition("## Connections")[2]

    assert "`main:" in links


def test_required_network_connections_are_listed() -> None:
    """Without internet access, the README lists the required connection to a mirror outside AWS, but not to ECR."""
    closed = "  vpc: {cidr: 10.20.0.0/16, nat: none}\n  images: {registry: %s, mirror: true}"
    theirs = readme(changed(("  vpc: {cidr: 10.20.0.0/16}", closed % "registry.acme.example/ml")))
    ours = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/ml"

    assert "connect the network `10.20.0.0/16` to registry.acme.example: with a VPN" in theirs
    assert "connect the network" not in readme(changed(("  vpc: {cidr: 10.20.0.0/16}", closed % ours)))
    assert "connect the network" not in readme()


def test_store_on_premises_needs_a_network_connection() -> None:
    lake = (
        "  lake: {type: object, target: main, adopt: acme-fraud-lake}",
        "  lake: {type: object, target: stores, adopt: lake, endpoint: 'https://s3.acme.example', "
        "credentials: secret://vault/lake}",
    )
    reachable = ("      context: stores-frankfurt\n", "      context: stores-frankfurt\n      reachableFrom: [main]\n")

    assert "to s3.acme.example: with a VPN" in readme(changed(lake, reachable, text=HYBRID))


def test_principals_for_adopted_buckets_are_listed() -> None:
    """The README lists the roles and users that an adopted bucket's policy must allow."""
    hybrid = readme(HYBRID)

    assert "| `acme-fraud-lake` | – | registry, challenge, nightly-scores, retrain, " in hybrid
    assert "stores.till" in next(line for line in hybrid.splitlines() if line.startswith("   | `acme-fraud-lake`"))
    assert "These buckets already exist" not in readme()
