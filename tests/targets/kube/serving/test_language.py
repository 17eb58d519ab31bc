"""Tests that language models are served within the spec's limits, on CPUs and on accelerators."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
import yaml

from modelyard.api import compile_text
from modelyard_runtime.serving.language.requests import request_of
from modelyard_targets.kube.placement.context import RAY_VERSION
from tests.lowering import Object, lowered

CPU_SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: support}
governance: {owner: {team: support, email: support@acme.example}}
deployment:
  mode: on-prem
  targets:
    main:
      provider: kubernetes
      context: frankfurt
      capacity: [{count: 9, cpu: 32, memory: 256Gi}, {count: 2, cpu: 32, memory: 256Gi, accelerators: "H100:4"}]
stores:
  lake: {type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}
  runs: {type: database}
registry: {database: runs, artifacts: lake}
compute: {cpu: {cpu: 8, memory: 16Gi}, gpu: {cpu: 8, memory: 64Gi, accelerators: "H100:2"}}
models:
  chat:
    task: text-generation
    framework: transformers
    import:
      store: lake
      path: incoming/chat/1
      digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
inference:
  assistant:
    variants: {live: {model: chat@champion}}
    generation: {contextLength: 4096, maxTokens: 256, concurrency: 6}
    compute: cpu
"""
GPU_SPEC = CPU_SPEC.replace("chat@champion", "chat@1").replace(
    "    compute: cpu\n", "    compute: gpu\n    source: {image: registry.acme.example/support-vllm:1}\n"
)


def application(text: str) -> tuple[Object, Any, Any]:
    """Return an endpoint's RayService, its Serve application, and the application's description."""
    manifests = lowered(text)
    service = manifests.get("RayService", "assistant")
    (serve,) = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]
    described = json.loads(manifests.get("ConfigMap", "assistant-description")["data"]["workload.json"])
    return service, serve, described["applications"]["assistant-live"]


def test_limits_reach_the_server_and_the_autoscaler() -> None:
    """A replica gets as many requests as it can generate at once, and just as many may wait."""
    _, serve, described = application(CPU_SPEC)
    (deployment,) = serve["deployments"]

    assert described["generation"] == {
        "model": "assistant",
        "maxTokens": 256,
        "concurrency": 6,
        "contextLength": 4096,
    }
    assert deployment["autoscaling_config"]["target_ongoing_requests"] == 6
    assert deployment["max_ongoing_requests"] == 12
    assert "num_gpus" not in deployment["ray_actor_options"]


def test_renamed_endpoint_keeps_the_name_that_requests_use() -> None:
    """Requests use the Service's name, which stays the same when the endpoint is renamed."""
    text = CPU_SPEC.replace("  assistant:", "  helper:") + "moved: {inference.helper: inference.assistant}\n"
    manifests = lowered(text)
    described = json.loads(manifests.get("ConfigMap", "assistant-description")["data"]["workload.json"])

    assert [entry["generation"]["model"] for entry in described["applications"].values()] == ["assistant"]


def test_replica_on_accelerators_gets_all_of_them_and_its_own_image() -> None:
    """vLLM spreads the model across all of the Pod's GPUs and runs in the image named in the spec."""
    service, serve, described = application(GPU_SPEC)
    (deployment,), (group,) = serve["deployments"], service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]

    assert described["generation"]["accelerators"] == 2
    assert described["model"]["version"] == "1"
    assert deployment["ray_actor_options"]["num_gpus"] == 2
    assert worker["image"] == "registry.acme.example/support-vllm:1"
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == "2"


def readme(text: str) -> str:
    """Return the README for the target."""
    compiled = compile_text(text)
    assert compiled.ok, compiled.diagnostics
    return compiled.files["default/main/README.md"].decode()


def test_readme_sends_a_chat() -> None:
    """The README's request has the server's format and names the endpoint as its model."""
    steps = readme(CPU_SPEC)
    (line,) = [line for line in steps.splitlines() if line.startswith("curl -d ")]
    _, _, body, url = shlex.split(line)

    assert url == "http://127.0.0.1:8000/v1/chat/completions"
    assert request_of(body.encode(), chat=True).model == "assistant"
    assert '"instances"' not in steps
    assert "ray-llm" not in steps


def test_readme_describes_the_image_with_vllm() -> None:
    """If the image were based on the runtime image, it would lack vLLM."""
    assert f"FROM rayproject/ray-llm:{RAY_VERSION}-py311-cu128" in readme(GPU_SPEC)
    assert "FROM $RUNTIME" not in readme(GPU_SPEC)


@pytest.mark.parametrize(
    ("cloud", "names"),
    [
        ("{provider: gcp, region: us-central1}", "google-cloud-storage"),
        ("{provider: azure, region: eastus}", "azure-identity azure-storage-blob"),
    ],
)
def test_image_with_vllm_has_the_packages_of_the_clouds_storage(cloud: str, names: str) -> None:
    """Without these packages, which Ray's image doesn't include, the server couldn't load its model."""
    start, end = GPU_SPEC.index("  mode: on-prem"), GPU_SPEC.index("stores:")
    text = f"{GPU_SPEC[:start]}  mode: cloud\n  targets: {{main: {cloud}}}\n{GPU_SPEC[end:]}"
    text = text.replace(', endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"', "")
    text = text.replace("H100:2", "A100-80GB:2")
    (line,) = [line for line in readme(text).splitlines() if line.startswith("RUN pip install")]
    installed = dict(part.split("==") for part in line.split()[4:])

    assert installed.keys() == {"boto3", "mlflow-skinny", *names.split()}
