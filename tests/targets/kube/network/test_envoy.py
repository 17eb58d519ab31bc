"""Tests the replacement for a Helm hook in Envoy Gateway's chart, and that load balancers are internal."""

from __future__ import annotations

from typing import Any

from modelyard_targets.kube.network.envoy import CLASS, CONTROLLER
from tests.crds import problems
from tests.targets.aws.emitted import AWS_SPEC, argument, calls, changed, emitted_object

OBJECTS = ("certificates_account", "certificates_role", "certificates_binding", "certificates_job")
ROLLS = ("    compute: small\n    endpoint", "    compute: small\n    rollout: {strategy: incremental}\n    endpoint")
INTERNAL = "service.beta.kubernetes.io/aws-load-balancer-internal"


def document(variable: str) -> dict[str, Any]:
    manifest: dict[str, Any] = argument(calls()[variable], "document")
    return manifest


def test_certificates_are_created_before_the_controller() -> None:
    """The controller's chart depends on the certificate Job, whose objects each depend on the previous one."""
    components = calls()
    waits = {name: argument(components[name], "depends_on") for name in (*OBJECTS, "envoy_gateway")}

    assert waits == {
        "certificates_account": ["addons_network"],
        "certificates_role": ["addons_network", "certificates_account"],
        "certificates_binding": ["addons_network", "certificates_role"],
        "certificates_job": ["addons_network", "certificates_binding"],
        "envoy_gateway": ["addons_network", "certificates_job"],
    }


def test_certificate_objects_are_valid() -> None:
    for name in OBJECTS:
        assert problems(document(name)) == [], name


def test_certificate_job_may_only_write_secrets() -> None:
    assert document("certificates_role")["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "update"]}
    ]
    assert document("certificates_role")["kind"] == "Role"
    pod = document("certificates_job")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["nodeSelector"] == {"modelyard.dev/pool": "system"}


def test_certificate_job_uses_the_controller_image() -> None:
    image = argument(calls()["envoy_gateway"], "values")["deployment"]["envoyGateway"]["image"]
    (container,) = document("certificates_job")["spec"]["template"]["spec"]["containers"]

    assert container["image"] == f"{image['repository']}:{image['tag']}"


def test_gateways_are_internal_by_default() -> None:
    """Gateways created by KubeRay for a rollout are internal by default."""
    assert balancers(changed(ROLLS)) == {CLASS: "true"}


def test_public_proxies_exist_only_for_public_endpoints() -> None:
    public = ("exposure: internal", "exposure: public")

    assert balancers(AWS_SPEC) == {CLASS: "true"}
    assert balancers(changed(public)) == {f"{CLASS}-public": "false"}


def balancers(text: str) -> dict[str, str]:
    """Return whether the load balancers of each GatewayClass are internal."""
    proxies = [argument(call, "document") for name, call in calls(text).items() if name.endswith("_proxies")]
    services = {each["metadata"]["name"]: each["spec"]["provider"]["kubernetes"]["envoyService"] for each in proxies}
    return {name: service["annotations"][INTERNAL] for name, service in services.items()}


def test_gateway_class_refers_to_its_envoy_proxy() -> None:
    gateway_class = emitted_object("GatewayClass", CLASS)

    assert problems(gateway_class) == []
    assert gateway_class["spec"]["controllerName"] == CONTROLLER
    assert gateway_class["spec"]["parametersRef"] == {
        "group": "gateway.envoyproxy.io",
        "kind": "EnvoyProxy",
        "name": CLASS,
        "namespace": document("envoy_proxies")["metadata"]["namespace"],
    }


def test_proxy_image_comes_from_the_mirror() -> None:
    text = changed(("  vpc:", "  images: {registry: r.acme.example, pullSecret: pull, mirror: true}\n  vpc:"))
    values = argument(calls(text)["envoy_gateway"], "values")

    assert values["global"]["images"]["envoyProxy"]["image"].startswith("r.acme.example/envoyproxy/envoy:")
    assert values["global"]["images"]["envoyProxy"]["pullSecrets"] == [{"name": "pull"}]
