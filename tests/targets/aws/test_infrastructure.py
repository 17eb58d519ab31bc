"""Tests the infrastructure program's dependencies and outputs, and how large systems' programs are split."""

from __future__ import annotations

import pytest

from modelyard.writers.python_text import print_program
from modelyard_targets.aws.lower import calls, lower
from tests.targets.aws.infrastructure import HYBRID, LEADS, arguments, calls_by_name, changed, plan_of, programs

ENDPOINT = "  score%d: {variants: {only: {model: churn@champion}}, compute: small}\n"


def many(count: int) -> str:
    """Return a spec with `count` additional endpoints, each with its own identity."""
    return LEADS + "".join(ENDPOINT % at for at in range(count))


def homes(text: str) -> dict[str, str]:
    """Return the project that contains each workload's role, keyed by role name."""
    return {
        call.name: folder
        for folder, program in programs(text).items()
        for call in program.calls
        if call.component == "Identity"
    }


def test_cluster_comes_after_network_and_key() -> None:
    order = [call.component for call in programs()["infrastructure"].calls]

    assert order[:5] == ["Account", "Key", "Network", "Cluster", "SystemPool"]
    assert order.index("ClusterAddons") > order.index("SystemPool")
    assert arguments(calls_by_name()["ClusterAddons leads-main"])["depends_on"] == ["system_pool"]


def test_provider_has_default_tags() -> None:
    assert arguments(calls_by_name()["Account main"])["tags"] == {
        "modelyard:system": "leads",
        "modelyard:environment": "default",
        "modelyard:target": "main",
        "modelyard:owner": "growth",
        "label:domain": "sales",
    }


def test_workloads_only_read_exported_outputs() -> None:
    exported = {export.name for export in programs()["infrastructure"].exports}
    text = "".join(
        print_program(project.program)
        for project in lower(plan_of(), "main").projects
        if project.folder.startswith("workloads")
    )
    read_outputs = {part.partition('"]')[0] for part in text.split('infrastructure["')[1:]}

    assert read_outputs
    assert read_outputs <= exported


def test_adopted_network_is_not_created() -> None:
    subnets = "[subnet-0a1b2c3d4e5f60718, subnet-0f9e8d7c6b5a43210]"
    vpc = f"vpc: {{adopt: vpc-0a1b2c3d4e5f60718, subnets: {subnets}, cidr: 10.1.0.0/16}}"
    components = calls_by_name(changed(("vpc: {cidr: 10.20.0.0/16}", vpc)))

    assert "Network leads-main" not in components
    assert arguments(components["AdoptedNetwork leads-main"])["vpc_id"] == "vpc-0a1b2c3d4e5f60718"


def test_adopted_bucket_is_only_used_in_roles() -> None:
    arn = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    components = calls_by_name(
        changed(("lake: {type: object}", f'lake: {{type: object, adopt: acme-leads, encryptionKey: "{arn}"}}'))
    )

    assert [name for name in components if name.startswith("ObjectStore")] == ["ObjectStore audit"]
    assert arguments(components["Identity score"])["access"][0] == {
        "bucket": "acme-leads",
        "prefix": "mlflow/models/leads-churn/",
        "mode": "read",
        "key": arn,
    }


def test_image_registry_is_created_unless_the_spec_names_one() -> None:
    other = changed(("  vpc:", "  images: {registry: registry.acme.example/ml}\n  vpc:"))

    assert arguments(calls_by_name()["ImageRegistry leads-main"])["repositories"] == ["leads-main/leads-runtime"]
    assert not [name for name in calls_by_name(other) if name.startswith("ImageRegistry")]


CLOSED = (
    "  vpc: {cidr: 10.20.0.0/16}",
    "  vpc: {cidr: 10.20.0.0/16, nat: none}\n"
    "  images: {registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/ml, mirror: true}",
)


@pytest.mark.parametrize(("region", "zones"), [("eu-central-1", 3), ("us-west-1", 2)])
def test_number_of_zones_depends_on_the_region(region: str, zones: int) -> None:
    text = changed(("region: eu-central-1", f"region: {region}"), ('["L4:1", "A10G:1"]', "T4:1"))

    assert arguments(calls_by_name(text)["Network leads-main"])["zones"] == zones


def test_karpenter_has_endpoints_for_sqs_and_ssm() -> None:
    closed = changed(CLOSED)
    still = changed(CLOSED, (", elastic: true", ""))

    assert {"sqs", "ssm"} <= set(arguments(calls_by_name(closed)["Network leads-main"])["endpoints"])
    assert not {"sqs", "ssm"} & set(arguments(calls_by_name(still)["Network leads-main"])["endpoints"])


def test_endpoints_exist_except_in_small_systems_with_nat() -> None:
    """A small system has only the free S3 endpoint, unless its network lacks internet access."""
    every = ["autoscaling", "ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "rds", "secretsmanager", "sqs", "ssm"]
    large = changed(("governance:", "profile: {size: enterprise}\ngovernance:"))

    assert not arguments(calls_by_name()["Network leads-main"])["endpoints"]
    assert list(arguments(calls_by_name(large)["Network leads-main"])["endpoints"]) == every
    assert list(arguments(calls_by_name(changed(CLOSED))["Network leads-main"])["endpoints"]) == every


def test_few_roles_stay_in_one_project() -> None:
    assert list(programs()) == ["infrastructure"]


def test_many_roles_are_split_into_several_projects() -> None:
    by_folder = programs(many(300))

    assert list(by_folder) == ["infrastructure", "infrastructure-2"]
    components = [call.component for call in by_folder["infrastructure-2"].calls]
    assert components[:4] == ["Account", "Infrastructure", "AdoptedKey", "AdoptedCluster"]
    assert set(components[4:]) == {"Identity"}
    assert len(homes(many(300))) == 305


def test_adding_a_model_moves_no_role() -> None:
    before, after = homes(many(300)), homes(many(301))

    assert {name: after[name] for name in before} == before


def test_the_projects_are_applied_before_the_workloads() -> None:
    folders = [project.folder for project in lower(plan_of(many(300)), "main").projects]

    assert folders[:3] == ["infrastructure", "infrastructure-2", "workloads"]


def test_every_component_has_a_spec_path() -> None:
    plan = plan_of()
    origins = {f"{call.component} {call.name}": call.origin for call in calls(plan, "main")}

    assert origins["ObjectStore lake"] == ("stores", "lake")
    assert origins["NodePool gpu-g6-2xlarge-spot"] == ("compute", "gpu")
    assert all(origins.values())


def test_workload_on_another_cluster_has_a_user() -> None:
    components = calls_by_name(HYBRID)
    (access,) = arguments(components["Crossing stores.till"])["access"]

    assert access["mode"] == "read"
    assert access["prefix"].startswith("mlflow/bundles/")
    exported = {export.name for export in programs(HYBRID)["infrastructure"].exports}
    assert {"stores__till_access_key_id_1", "stores__till_secret_access_key_1"} <= exported


def test_no_user_or_output_without_cross_target_access() -> None:
    start = HYBRID.index("  till:")
    text = HYBRID[:start] + HYBRID[HYBRID.index("\nmonitors:") :]
    text = text.replace("mode: hybrid", "mode: cloud")
    lines = text.splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if line.startswith("    stores:"))
    last = next(at for at, line in enumerate(lines) if line.startswith("  placement:"))
    alone = "".join(lines[:first] + lines[last:])

    assert not [name for name in calls_by_name(alone) if name.startswith("Crossing")]
    assert not [export for export in programs(alone)["infrastructure"].exports if "till" in export.name]
