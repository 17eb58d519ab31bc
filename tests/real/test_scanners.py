"""Tests that every scanner finding in the examples is fixed or explained in `findings.yaml`."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from modelyard.stack import Project
from tests.examples import Example, on_aws, on_clusters
from tests.real.scanners.deployed import Deployed, deployed
from tests.real.scanners.planned import Planned, planned
from tests.real.scanners.scanned import Object, Scanned, scanned
from tests.real.scanners.scanning import Finding, findings
from tests.stacks.azure.systems import azure_systems
from tests.stacks.gcp.systems import google_systems
from tests.stacks.programs import Registration
from tests.stacks.systems import registered_systems

FIREWALL = "gcp:compute/firewall:Firewall"
WEAKENED: dict[str, tuple[dict[str, Any], set[str]]] = {
    FIREWALL: ({}, {"CKV2_GCP_18"}),
    "gcp:artifactregistry/repository:Repository": ({"kmsKeyName": None}, {"CKV_GCP_84"}),
    "gcp:compute/subnetwork:Subnetwork": (
        {"logConfig": None, "privateIpGoogleAccess": False},
        {"CKV_GCP_26", "CKV_GCP_74"},
    ),
    "gcp:container/cluster:Cluster": (
        {"enableLegacyAbac": True, "masterAuthorizedNetworksConfig": None, "privateClusterConfig": None},
        {"CKV_GCP_7", "CKV_GCP_20", "CKV_GCP_25"},
    ),
    "gcp:container/nodePool:NodePool": (
        {"management": {"autoRepair": False, "autoUpgrade": False}, "nodeConfig": {}},
        {"CKV_GCP_9", "CKV_GCP_10", "CKV_GCP_68", "CKV_GCP_69"},
    ),
    "gcp:kms/cryptoKey:CryptoKey": ({"rotationPeriod": None}, {"CKV_GCP_43"}),
    "gcp:projects/iAMMember:IAMMember": ({"role": "roles/editor"}, {"CKV_GCP_117"}),
    "gcp:sql/databaseInstance:DatabaseInstance": (
        {"settings": {"ipConfiguration": {"ipv4Enabled": True}}},
        {"CKV_GCP_14", "CKV_GCP_51", "CKV_GCP_60"},
    ),
    "gcp:storage/bucket:Bucket": (
        {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": False},
        {"CKV_GCP_29", "CKV_GCP_114"},
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": ({"member": "allUsers"}, {"CKV_GCP_28"}),
}
"""Insecure properties by Google resource type, and the checks that must report them. The firewall is removed."""

RULES = "azure-native:network:NetworkSecurityGroup"
OPENED: dict[str, tuple[dict[str, Any], set[str]]] = {
    RULES: (
        {
            "securityRules": [
                {
                    "name": "all",
                    "priority": 100,
                    "access": "Allow",
                    "direction": "Inbound",
                    "protocol": "Tcp",
                    "sourceAddressPrefix": "*",
                    "sourcePortRange": "*",
                    "destinationAddressPrefix": "*",
                    "destinationPortRange": "22",
                }
            ]
        },
        {"CKV_AZURE_10"},
    ),
    "azure-native:containerservice:ManagedCluster": (
        {
            "networkProfile": {},
            "disableLocalAccounts": False,
            "apiServerAccessProfile": {"enablePrivateCluster": False},
            "enableRBAC": False,
        },
        {"CKV_AZURE_5", "CKV_AZURE_7", "CKV_AZURE_141"},
    ),
    "azure-native:containerregistry:Registry": (
        {"adminUserEnabled": True, "anonymousPullEnabled": True, "publicNetworkAccess": "Enabled"},
        {"CKV_AZURE_137", "CKV_AZURE_138", "CKV_AZURE_139"},
    ),
    "azure-native:keyvault:Vault": ({"properties": {}}, {"CKV_AZURE_42", "CKV_AZURE_109", "CKV_AZURE_189"}),
    "azure-native:storage:StorageAccount": (
        {
            "enableHttpsTrafficOnly": False,
            "minimumTlsVersion": "TLS1_0",
            "allowBlobPublicAccess": True,
            "publicNetworkAccess": "Enabled",
        },
        {"CKV_AZURE_3", "CKV_AZURE_44", "CKV_AZURE_59"},
    ),
    "azure-native:storage:BlobContainer": ({"publicAccess": "Container"}, {"CKV_AZURE_34"}),
}
"""Insecure properties by Azure resource type, and the checks that must report them."""

LIST = Path(__file__).parent / "scanners" / "findings.yaml"

Key = tuple[str, str, str]


def listed() -> dict[Key, str]:
    """Return the explanations by tool, check and object pattern."""
    tools = cast("dict[str, dict[str, dict[str, str]]]", yaml.safe_load(LIST.read_text(encoding="utf-8")))
    return {
        (tool, check, pattern): reason
        for tool, checks in tools.items()
        for check, patterns in checks.items()
        for pattern, reason in patterns.items()
    }


def explains(key: Key, finding: Finding) -> bool:
    """Return whether a line in the list of explanations explains a finding."""
    tool, check, pattern = key
    return (tool, check) == (finding.tool, finding.check) and fnmatchcase(finding.object, pattern)


def objects_of(example: Example) -> dict[str, tuple[Scanned, ...]]:
    """Return the objects of an example, by target name."""
    outcome = example.compiled()
    assert not outcome.failed, outcome.diagnostics
    return {f"{example}-{stack.target}": tuple(scanned(manifests_of(stack.projects))) for stack in outcome.stacks}


def manifests_of(projects: tuple[Project, ...]) -> list[Object]:
    """Return copies of a target's objects as plain data."""
    files = [file for project in projects for file in project.manifests]
    return [cast("Object", json.loads(json.dumps(document))) for file in files for document in file.documents()]


@pytest.fixture(scope="module")
def on_google(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Registration]]:
    """Return the resources registered by infrastructure projects on Google Cloud."""
    return registered_systems(google_systems(), tmp_path_factory.mktemp("systems"))


@pytest.fixture(scope="module")
def in_azure(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Registration]]:
    """Return the resources that the infrastructure projects on Azure register."""
    return registered_systems(azure_systems(), tmp_path_factory.mktemp("systems"))


def templates_of(registered: dict[str, list[Registration]]) -> dict[str, tuple[Deployed, ...]]:
    """Return each project's resources as an Azure template."""
    return {name: tuple(deployed(resources)) for name, resources in registered.items()}


def plans_of(registered: dict[str, list[Registration]]) -> dict[str, tuple[Planned, ...]]:
    """Return each project's Google resources as a Terraform plan."""
    return {name: tuple(planned(resources)) for name, resources in registered.items()}


@pytest.fixture(scope="module")
def all_findings(
    built: Callable[[str], Path],
    on_google: dict[str, list[Registration]],
    in_azure: dict[str, list[Registration]],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Finding]:
    """Return all findings of both scanners for the examples and for the resources on Google Cloud and Azure."""
    built("kube-score")
    examples = (*on_clusters(), *on_aws(), *google_systems(), *azure_systems())
    systems = {name: objects for example in examples for name, objects in objects_of(example).items()}
    return findings(systems, plans_of(on_google), templates_of(in_azure), tmp_path_factory.mktemp("scanned"))


def test_every_finding_is_explained(all_findings: list[Finding]) -> None:
    keys = list(listed())

    assert [str(finding) for finding in all_findings if not any(explains(key, finding) for key in keys)] == []


def test_every_explanation_has_a_finding(all_findings: list[Finding]) -> None:
    """Every line of `findings.yaml` explains a finding that no earlier line explains, or must be removed."""
    keys = list(listed())
    used = {next((key for key in keys if explains(key, finding)), None) for finding in all_findings}

    assert [key for key in keys if key not in used] == []


def test_every_reason_is_one_sentence_on_one_line() -> None:
    lines = [line.strip() for line in LIST.read_text(encoding="utf-8").splitlines()]

    assert [
        reason
        for (_, _, pattern), reason in listed().items()
        if f'"{pattern}": {reason}' not in lines or not reason.endswith(".")
    ] == []


def weakened(
    registered: list[Registration], changes: dict[str, tuple[dict[str, Any], set[str]]] = WEAKENED
) -> list[Registration]:
    """Return the registered resources with `changes` applied. A value of `None` removes the property."""
    changed = [copy.deepcopy(each) for each in registered if each["type"] != FIREWALL]
    for each in changed:
        inputs = {**each["inputs"], **changes.get(each["type"], ({}, set[str]()))[0]}
        each["inputs"] = {name: value for name, value in inputs.items() if value is not None}
        dependencies = each["propertyDependencies"]
        each["propertyDependencies"] = {name: urns for name, urns in dependencies.items() if name in each["inputs"]}
    return changed


def test_scanners_report_a_privileged_worker_and_open_resources(
    tmp_path: Path,
    all_findings: list[Finding],
    on_google: dict[str, list[Registration]],
    in_azure: dict[str, list[Registration]],
) -> None:
    """Both scanners find Pods inside Ray's custom resources, and checkov reports every weakened resource."""
    assert all_findings
    systems = objects_of(on_clusters()[0])
    name, objects = next(iter(systems.items()))
    worker = next(entry for entry in objects if "/worker-" in entry.address)
    container = worker.manifest["spec"]["template"]["spec"]["containers"][0]
    container["securityContext"] = {"privileged": True}

    resources = weakened(on_google["leads-on-google-default-main"])
    opened = weakened(in_azure["leads-on-azure-default-main"], OPENED)
    plans, templates = {"weakened": tuple(planned(resources))}, {"opened": tuple(deployed(opened))}
    reported = findings({name: objects}, plans, templates, tmp_path)
    on_worker = {(entry.tool, entry.check) for entry in reported if entry.object == worker.address}
    in_plan = {entry.check for entry in reported if entry.where == "weakened"}

    in_template = {entry.check for entry in reported if entry.where == "opened"}

    assert sorted({check for _, checks in WEAKENED.values() for check in checks} - in_plan) == []
    assert sorted({check for _, checks in OPENED.values() for check in checks} - in_template) == []
    assert {("checkov", "CKV_K8S_16"), ("kube-score", "container-security-context-privileged")} <= on_worker
