"""Tests which resources the Kubernetes components register under mocks."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TypeAlias

import pytest

from modelyard_stacks.documents import resource_name, type_token
from tests.stacks.programs import Refused, Registration, config_map, of_type, project, registrations

Resources: TypeAlias = dict[str, Registration]

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
CHART = "kubernetes:helm.sh/v4:Chart"
PROVIDER = "pulumi:providers:kubernetes"

PROGRAM = """\
cluster = kubernetes.Cluster("main")
namespace = kubernetes.Namespace("addon-system", cluster=cluster)
addon = kubernetes.Chart(
    "addon",
    cluster=cluster,
    repository="https://charts.acme.example",
    version="1.2.3",
    namespace="addon-system",
    values={"a": {"b": [1, True]}},
    depends_on=[namespace],
)
kubernetes.GeneratedSecret("made", cluster=cluster, namespace="tiny", generated=["key"], fixed={"user": "admin"})
kubernetes.Logins("logins", cluster=cluster, namespace="tiny", users={"login.a": "workload.a", "login.b": "workload.b"})
files = ["a.yaml", "b.yaml"]
foundation = kubernetes.Manifests("foundation", cluster=cluster, files=files, in_order=True, depends_on=[addon])
kubernetes.Manifests("workloads", cluster=cluster, files=["c.yaml", "d.yaml"], depends_on=[foundation])
"""
MANIFESTS = (
    ("a.yaml", config_map("a1") + "---\n" + config_map("a2")),
    ("b.yaml", config_map("b", annotations='{modelyard.dev/protect: "true"}')),
    ("c.yaml", config_map("c1") + "---\n" + config_map("c2")),
    ("d.yaml", config_map("d")),
)


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Return the registrations of `PROGRAM`, keyed by type and name."""
    (registered,) = registrations(project(tmp_path_factory.mktemp("tiny"), PROGRAM, MANIFESTS))
    return {f"{each['type']} {each['name']}": each for each in registered}


def needs(resources: Resources, name: str) -> list[str]:
    return [urn.rpartition("$")[2] for urn in resources[f"{CONFIG_MAP} tiny/{name}"]["dependsOn"]]


def test_all_objects_use_the_named_cluster(resources: Resources) -> None:
    owned = [each for each in resources.values() if each["type"] not in ("pulumi:pulumi:Stack", PROVIDER)]
    components = [each for each in owned if each["type"].startswith("modelyard:")]

    assert {each["provider"] for each in owned if each not in components} == {
        "pulumi:pulumi:Stack$pulumi:providers:kubernetes::main"
    }
    assert {each["type"].rpartition(":")[2] for each in components} == {"Logins", "Manifests"}


def test_egress_policy_allows_https_to_ranges_for_named_pods(tmp_path: Path) -> None:
    program = """\
import pulumi

kubernetes.EgressPolicy(
    "allow-storage",
    cluster=kubernetes.Cluster("main"),
    namespace="tiny",
    pods=["fit", "score"],
    ranges=pulumi.Output.from_input("198.51.100.0/24,203.0.113.0/24"),
)
"""
    (registered,) = registrations(project(tmp_path, program))
    (policy,) = of_type(registered, "kubernetes:networking.k8s.io/v1:NetworkPolicy")

    assert policy["name"] == "tiny/allow-storage"
    assert policy["inputs"]["spec"] == {
        "podSelector": {
            "matchExpressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": ["fit", "score"]}]
        },
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}, {"ipBlock": {"cidr": "203.0.113.0/24"}}],
                "ports": [{"protocol": "TCP", "port": 443}],
            }
        ],
    }


def test_cluster_identity_does_not_depend_on_its_certificate(resources: Resources) -> None:
    inputs = resources[f"{PROVIDER} main"]["inputs"]

    assert inputs == {
        "clusterIdentifier": "here",
        "context": "here",
        "enableServerSideApply": "true",
        "upsertExistingObjects": "true",
    }


def test_cluster_without_a_context_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="set the cluster: pulumi config set context NAME"):
        registrations(project(tmp_path / "p", 'kubernetes.Cluster("main")\n', settings=""))


def test_object_is_a_resource_with_the_project_field_manager(
    resources: Resources,
) -> None:
    config_map = resources[f"{CONFIG_MAP} tiny/a1"]

    assert config_map["inputs"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a1", "namespace": "tiny", "annotations": {"pulumi.com/patchFieldManager": "tiny"}},
    }
    assert config_map["parent"] == "pulumi:pulumi:Stack$modelyard:kubernetes:Manifests::foundation"


def test_documents_and_ordered_files_are_applied_in_sequence(resources: Resources) -> None:
    assert needs(resources, "a1") == ["kubernetes:helm.sh/v4:Chart::addon"]
    assert needs(resources, "a2") == [f"{CONFIG_MAP}::tiny/a1"]
    assert needs(resources, "b") == [f"{CONFIG_MAP}::tiny/a2"]


def test_parallel_files_wait_only_for_the_foundation(resources: Resources) -> None:
    foundation = [f"{CONFIG_MAP}::tiny/{name}" for name in ("a1", "a2", "b")]

    assert sorted(needs(resources, "c1")) == foundation
    assert sorted(needs(resources, "d")) == foundation
    assert needs(resources, "c2") == [f"{CONFIG_MAP}::tiny/c1"]


def test_only_objects_with_data_are_protected(resources: Resources) -> None:
    assert [name for name, each in resources.items() if each["protect"]] == [f"{CONFIG_MAP} tiny/b"]


def test_settings_turn_protection_off_and_set_the_chart_mirror(tmp_path: Path) -> None:
    settings = "context: here\nprotect: false\nchartRepository: https://mirror.acme.example/charts"
    (registered,) = registrations(project(tmp_path / "p", PROGRAM, MANIFESTS, settings))

    assert not any(each["protect"] for each in registered)
    (chart,) = of_type(registered, CHART)
    assert chart["inputs"]["repositoryOpts"] == {"repo": "https://mirror.acme.example/charts"}


def test_chart_has_a_pinned_version_and_a_namespace(resources: Resources) -> None:
    chart = resources[f"{CHART} addon"]

    assert chart["remote"] is True
    assert chart["inputs"] == {
        "name": "addon",
        "chart": "addon",
        "version": "1.2.3",
        "namespace": "addon-system",
        "repositoryOpts": {"repo": "https://charts.acme.example"},
        "values": {"a": {"b": [1.0, True]}},
    }
    assert chart["dependsOn"] == ["pulumi:pulumi:Stack$kubernetes:core/v1:Namespace::addon-system"]


def test_chart_in_a_registry_has_its_full_url(tmp_path: Path) -> None:
    program = (
        'cluster = kubernetes.Cluster("main")\n'
        'kubernetes.Chart("a", cluster=cluster, repository="oci://r.acme.example/c/", version="1.0.0", namespace="x")\n'
    )
    (registered,) = registrations(project(tmp_path / "p", program))
    (chart,) = of_type(registered, CHART)

    assert chart["inputs"]["chart"] == "oci://r.acme.example/c/a"
    assert "repositoryOpts" not in chart["inputs"]


def test_namespace_enforces_its_pod_security_level(resources: Resources) -> None:
    inputs = resources["kubernetes:core/v1:Namespace addon-system"]["inputs"]

    assert inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_each_login_has_its_own_secret(resources: Resources) -> None:
    """Each login has its own generated password, which later deployments keep."""
    secrets = [resources[f"kubernetes:core/v1:Secret tiny/login.{name}"] for name in ("a", "b")]
    data = [secret["inputs"]["data"]["value"] for secret in secrets]

    assert [base64.b64decode(each["username"]).decode() for each in data] == ["workload.a", "workload.b"]
    assert data[0]["password"] != data[1]["password"]
    assert all(secret["ignoreChanges"] == ["data"] for secret in secrets)


def test_generated_secret_keeps_its_first_value(resources: Resources) -> None:
    secret = resources["kubernetes:core/v1:Secret tiny/made"]

    assert secret["ignoreChanges"] == ["data"]
    assert set(secret["inputs"]["data"]["value"]) == {"key", "user"}


GIVEN = """\
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("below")
cluster = kubernetes.Cluster("main", kubeconfig=infrastructure["kubeconfig"])
kubernetes.Object(
    "opened",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "opened", "namespace": "tiny"},
        "stringData": {"key": infrastructure["key"], "user": "admin"},
    },
)
images = {"registry.invalid": infrastructure["image_registry"]}
annotations = {"run.identity.invalid": infrastructure["run_client_id"]}
kubernetes.Manifests("workloads", cluster=cluster, files=["a.yaml"], images=images, annotations=annotations)
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: tiny}
spec:
  initContainers: [{name: a, image: registry.invalid/sub/own:1}, {name: b, image: registry.invalid.acme/own:1}]
  containers: [{name: c, image: docker.io/other:1, command: [registry.invalid/own]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: run, namespace: tiny}
data:
  rayjob.json: '{"image": "registry.invalid/sub/own:1", "command": ["registry.invalid/own"]}'
  other: '{"image": "registry.invalid/sub/own:1"}'
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: tiny.runs}
spec: {validations: [{expression: 'image in ["registry.invalid/sub/own:1", "docker.io/other:1"]'}]}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: run
  namespace: tiny
  annotations: {identity: run.identity.invalid, about: no run.identity.invalid here}
  labels: {identity: run.identity.invalid}
"""


@pytest.fixture(scope="module")
def with_references(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Return the registrations of a program that takes values from another stack."""
    folder = project(tmp_path_factory.mktemp("given"), GIVEN, (("a.yaml", POD),), settings="")
    (registered,) = registrations(folder)
    return {f"{each['type']} {each['name']}": each for each in registered}


def test_whole_annotations_are_replaced_by_outputs(with_references: Resources) -> None:
    metadata = with_references["kubernetes:core/v1:ServiceAccount tiny/run"]["inputs"]["metadata"]

    assert metadata["annotations"] == {
        "identity": "the run_client_id",
        "about": "no run.identity.invalid here",
        "pulumi.com/patchFieldManager": "tiny",
    }
    assert metadata["labels"] == {"identity": "run.identity.invalid"}


def test_object_can_use_outputs_of_another_project(with_references: Resources) -> None:
    secret = with_references["kubernetes:core/v1:Secret opened"]

    assert secret["inputs"]["metadata"]["annotations"] == {"pulumi.com/patchFieldManager": "tiny"}
    assert secret["inputs"]["stringData"]["value"] == {"key": "the key", "user": "admin"}
    assert secret["provider"] == "pulumi:pulumi:Stack$pulumi:providers:kubernetes::main"


def test_secret_data_is_encrypted_in_the_state(with_references: Resources) -> None:
    """Secret data is marked as values that Pulumi encrypts."""
    assert (
        "4dabf18193072939515e22adb298388d"
        in with_references["kubernetes:core/v1:Secret opened"]["inputs"]["stringData"]
    )


def test_image_placeholder_is_replaced_by_the_registry(with_references: Resources) -> None:
    """The placeholder is replaced in `image` fields, run templates and policies, but only as a complete host name."""
    spec = with_references["kubernetes:core/v1:Pod tiny/p"]["inputs"]["spec"]

    assert [container["image"] for container in spec["initContainers"]] == [
        "the image_registry/sub/own:1",
        "registry.invalid.acme/own:1",
    ]
    assert spec["containers"] == [{"name": "c", "image": "docker.io/other:1", "command": ["registry.invalid/own"]}]
    data = with_references["kubernetes:core/v1:ConfigMap tiny/run"]["inputs"]["data"]
    assert json.loads(data["rayjob.json"]) == {
        "image": "the image_registry/sub/own:1",
        "command": ["registry.invalid/own"],
    }
    assert data["other"] == '{"image": "registry.invalid/sub/own:1"}'
    policy = with_references["kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy tiny.runs"][
        "inputs"
    ]["spec"]
    assert policy["validations"] == [{"expression": 'image in ["the image_registry/sub/own:1", "docker.io/other:1"]'}]


@pytest.mark.parametrize(
    ("version", "kind", "expected"),
    [
        ("v1", "Pod", "kubernetes:core/v1:Pod"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("ray.io/v1", "RayService", "kubernetes:ray.io/v1:RayService"),
    ],
)
def test_type_token_matches_pulumi(version: str, kind: str, expected: str) -> None:
    assert type_token({"apiVersion": version, "kind": kind}) == expected


def test_resource_name_consists_of_namespace_and_name() -> None:
    assert resource_name({"metadata": {"name": "a", "namespace": "n"}}) == "n/a"
    assert resource_name({"metadata": {"name": "a"}}) == "a"


@pytest.mark.parametrize(("strategy", "replaced"), [("None", True), ("NewCluster", False)])
def test_in_place_server_is_recreated_when_its_pods_change(tmp_path: Path, strategy: str, replaced: bool) -> None:
    """A server with changed Pods is recreated, because KubeRay would accept a new image but never run it.

    The old server is deleted first to free its capacity.
    """
    server = (
        "apiVersion: ray.io/v1\nkind: RayService\nmetadata: {name: till, namespace: tiny}\n"
        f'spec: {{upgradeStrategy: {{type: "{strategy}"}}, rayClusterConfig: {{}}}}\n'
    )
    program = (
        'cluster = kubernetes.Cluster("main")\nkubernetes.Manifests("workloads", cluster=cluster, files=["s.yaml"])\n'
    )
    (registered,) = registrations(project(tmp_path / "p", program, [("s.yaml", server)]))
    (resource,) = of_type(registered, "kubernetes:ray.io/v1:RayService")

    paths = resource.get("replaceOnChanges", [])
    assert ("spec.rayClusterConfig.workerGroupSpecs[*].template" in paths) is replaced
    assert ("spec.rayClusterConfig.headGroupSpec" in paths) is replaced
    assert not any("replicas" in path.lower() or "serveconfig" in path.lower() for path in paths)
    assert resource.get("deleteBeforeReplace", False) is replaced
