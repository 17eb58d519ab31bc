"""Tests that no two systems on an existing cluster use the same names, on any cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest

from modelyard.diagnostics import Severity
from modelyard.pipeline import Outcome, compile_system
from modelyard.program import Call, Ref
from modelyard.stack import Manifest, Stack
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example, on_existing

CLOUDS = {"aws": None, "gcp": "gke", "azure": "aks"}
SPEC = (SYSTEMS / "tenant" / "system.yaml").read_text(encoding="utf-8")

_CLUSTER_WIDE = {
    *("ClusterSecretStore", "Namespace", "PriorityClass", "GatewayClass", "StorageClass", "ClusterRole"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterRoleBinding"),
}
_GLOBAL = {"account", "bucket", "container", "group", "registry", "repository", "repositories", "server"}
"""Arguments that contain cloud-wide names in which the cluster's name does not occur."""

_NAMED_AFTER_THEMSELVES = {"Alarms", "Budget", "ExistingCluster", "IdentityAgent", "ImageRegistry", "Key", "StoreRoles"}
"""Components whose own names become part of cloud-wide names."""


def compiled(cloud: str, text: str = SPEC) -> Outcome:
    """Compile a system that runs on an existing cluster of the given cloud."""
    inputs = Example("tenant", CLOUDS[cloud], SYSTEMS).inputs()
    return compile_system(replace(inputs, spec=replace(inputs.spec, content=text)), TARGETS)


@cache
def stack(cloud: str, name: str = "tenant") -> Stack:
    """Return the stack of `tenant`, or of another system whose cluster already has all add-ons."""
    present = "[kuberay, prometheus]" if name == "tenant" else "[kuberay, prometheus, external-secrets]"
    outcome = compiled(
        cloud, SPEC.replace("{name: tenant,", f"{{name: {name},").replace("[kuberay, prometheus]", present)
    )
    assert not outcome.failed, outcome.diagnostics
    (only,) = outcome.stacks
    return only


def calls(stack: Stack) -> Iterator[Call]:
    """Yield the component calls in all of the stack's programs."""
    for project in stack.projects:
        yield from project.program.calls


def objects(stack: Stack) -> Iterator[Mapping[str, Any]]:
    """Yield the Kubernetes objects in the manifests and those built by the program."""
    for project in stack.projects:
        for file in project.manifests:
            yield from cast("Iterator[Manifest]", file.documents())
    for call in calls(stack):
        if call.component == "kubernetes.Object":
            yield cast("Mapping[str, Any]", dict(call.arguments)["document"])
        if call.component == "kubernetes.Namespace":
            yield {"kind": "Namespace", "metadata": {"name": call.name}}


def names_in_cluster(stack: Stack) -> set[tuple[str, str]]:
    """Return the kind and name of every cluster-scoped object and namespace."""
    return {(each["kind"], each["metadata"]["name"]) for each in objects(stack) if each["kind"] in _CLUSTER_WIDE}


def names_in_cloud(stack: Stack) -> set[tuple[str, str]]:
    """Return names that must be unique in a cloud, and the ServiceAccounts by which it identifies Pods."""
    names: set[tuple[str, str]] = set()
    for call in calls(stack):
        arguments = dict(call.arguments)
        if "service_account" in arguments:
            names.add(("pods", f"{arguments['namespace']}/{arguments['service_account']}"))
        if call.component in _NAMED_AFTER_THEMSELVES:
            names.add((call.component, call.name))
        for argument in _GLOBAL & set(arguments) if not call.component.startswith("kubernetes.") else ():
            value = arguments[argument]
            values = value if isinstance(value, tuple) else (value,)
            names |= {(argument, each) for each in values if isinstance(each, str)}
    return names


@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_names_of_two_systems_are_the_same(cloud: str) -> None:
    """Two systems have no names in common, except for the add-ons that one installs and both use."""
    first, second = stack(cloud), stack(cloud, "other")

    assert {kind for kind, _ in names_in_cluster(first)} >= {"Namespace", "PriorityClass", "ClusterSecretStore"}
    assert names_in_cluster(first) & names_in_cluster(second) == set()
    assert len(names_in_cloud(first)) > 8
    assert names_in_cloud(first) & names_in_cloud(second) == set()


def test_environments_of_a_system_have_their_own_namespaces() -> None:
    """Every identity depends on the environment's namespace, because two environments may share a cluster."""
    text = SPEC.replace("  gke:", "  prod: {}\n  gke:")
    inputs = replace(Example("tenant", "prod", SYSTEMS).inputs(text), environment="prod")
    other = compile_system(inputs, TARGETS)
    assert not other.failed, other.diagnostics

    shared = names_in_cluster(stack("aws")) & names_in_cluster(other.stacks[0])
    assert shared == {("Namespace", "external-secrets")}
    assert names_in_cloud(stack("aws")) & names_in_cloud(other.stacks[0]) == set()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_nothing_of_the_cluster_is_created(cloud: str) -> None:
    """The cluster owner provides the network, control plane, machines, storage class and kube-system policies."""
    lowered = stack(cloud)

    components = {call.component for call in calls(lowered)}
    assert components & {"Cluster", "Network", "NodePool", "SystemPool", "ClusterAddons", "ClusterAutoscaler"} == set()
    assert {"ExistingCluster", "ClusterNetwork", "Key", "ObjectStore", "Database", "Identity"} <= components
    namespaces = {each["metadata"].get("namespace", "") for each in objects(lowered)}
    assert "kube-system" not in namespaces
    assert {name for kind, name in names_in_cluster(lowered) if kind in ("StorageClass", "GatewayClass")} == set()


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_secret_store_acts_as_the_system_alone(cloud: str) -> None:
    """The secret store acts as the system's own ServiceAccount, and only the system's namespace may refer to it."""
    manifests = list(objects(stack(cloud)))
    (store,) = (each for each in manifests if each["kind"] == "ClusterSecretStore")
    namespace = "tenant" if cloud == "aws" else f"tenant-{CLOUDS[cloud]}"
    reader = {"name": "secrets-reader", "namespace": namespace}

    assert store["metadata"]["name"] == f"secrets-manager.{namespace}"
    assert _values(store["spec"]["conditions"]) == ({"namespaces": (namespace,)},)
    assert str(_values(reader)) in str(_values(store["spec"]["provider"]))
    (account,) = (each for each in manifests if each["metadata"]["name"] == "secrets-reader")
    assert account["kind"] == "ServiceAccount"
    store_references = [each["spec"]["secretStoreRef"] for each in manifests if each["kind"] == "ExternalSecret"]
    assert len(store_references) == 3
    assert all(
        dict(each) == {"kind": "ClusterSecretStore", "name": store["metadata"]["name"]} for each in store_references
    )


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_tenant_creates_no_objects_of_the_whole_cluster(cloud: str) -> None:
    """With `tenancy: shared`, the cluster owner creates the namespace, the add-ons and the PriorityClasses.

    The secret store is then namespaced.
    """
    text = SPEC.replace(
        "  present: [kuberay, prometheus]",
        "  present: [kuberay, prometheus, external-secrets]\n  tenancy: shared\n  priorityClasses: {low: batch}",
    )
    outcome = compiled(cloud, text)
    assert not outcome.failed, outcome.diagnostics

    (lowered,) = outcome.stacks
    assert names_in_cluster(lowered) == set()
    (store,) = (each for each in objects(lowered) if each["kind"] == "SecretStore")
    assert store["metadata"]["namespace"].startswith("tenant")
    assert "conditions" not in store["spec"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_range_is_optional_without_a_database(cloud: str) -> None:
    """Without the network's address range, policies allow the Kubernetes API at any address."""
    text = SPEC.replace(", cidr: 10.20.0.0/16", "").replace("  runs: {type: database, size: 20Gi}\n", "")
    text = text.replace(
        "registry: {database: runs, artifacts: lake}",
        'registry: {adopt: "https://mlflow.acme.example", credentials: "secret://manager/mlflow"}',
    )
    outcome = compiled(cloud, text)

    assert not outcome.failed, outcome.diagnostics
    assert "10.20.0.0" not in str(list(objects(outcome.stacks[0])))


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(
    ("wrong", "count"),
    [
        ("  network: private\n", 0),  # the default, which appears in a rendered spec
        ("  version: '1.36'\n", 1),
        ("  network: public\n  access: [192.0.2.10/32]\n", 2),
        ("  vpc: {cidr: 10.0.0.0/16}\n", 1),
    ],
)
def test_fields_of_a_created_cluster_are_refused(cloud: str, wrong: str, count: int) -> None:
    """The cluster's owner decides these values, so the spec must not set them."""
    outcome = compiled(cloud, SPEC.replace("  present:", f"{wrong}  present:", 1))

    errors = [each.code for each in outcome.diagnostics if each.severity is Severity.ERROR]
    assert errors == ["E0635"] * count


def test_a_workload_may_not_take_the_account_that_reads_secrets() -> None:
    """Otherwise, the workload could read all of the system's secrets through this ServiceAccount."""
    outcome = compiled("aws", SPEC.replace("  fit: {type", "  secrets-reader: {type"))

    errors = [each for each in outcome.diagnostics if each.severity is Severity.ERROR]
    assert ["secrets-reader" in each.message for each in errors] == [True]


def test_elastic_classes_and_missing_machines_are_refused() -> None:
    """A compute class that fits none of the existing machines is an error."""
    large = compiled("aws", SPEC.replace("small: {cpu: 1, memory: 2Gi}", "small: {cpu: 64, memory: 2Gi}"))
    elastic = compiled("gcp", SPEC.replace("memory: 2Gi}\n  gpu", "memory: 2Gi, elastic: true}\n  gpu"))

    assert large.failed
    assert "capacity[0]" in str(large.diagnostics)
    assert elastic.failed
    assert "`elastic`" in str(elastic.diagnostics)


def test_every_cloud_has_a_golden_system() -> None:
    """Each cloud's output is compared with golden files."""
    assert {str(example) for example in on_existing()} == {"tenant-default", "tenant-gke", "tenant-aks", "tenant-pools"}


def _values(value: object) -> object:
    """Convert literals in programs and values in manifests to a common form."""
    if isinstance(value, Mapping):
        return {key: _values(each) for key, each in cast("Mapping[str, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return tuple(_values(each) for each in cast("list[object]", value))
    return str(value) if isinstance(value, Ref) else value


@pytest.mark.parametrize("cloud", CLOUDS)
def test_readme_lists_every_right_in_the_cluster(cloud: str) -> None:
    """The README also lists the cluster-scoped secret store, which isn't in the namespace's manifests."""
    (readme,) = [file.text() for file in stack(cloud).texts if file.path == "README.md"]

    namespace = "tenant" if cloud == "aws" else f"tenant-{CLOUDS[cloud]}"
    assert f"the ClusterSecretStore `secrets-manager.{namespace}`" in readme
    assert ("imageClients" in readme and "AcrPush" in readme) == (cloud == "azure")
