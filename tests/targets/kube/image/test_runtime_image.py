"""Tests that the runtime image's build context is complete and pinned, and that its tag is a hash."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import modelyard_runtime
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.image.runtime_image import content_hash, image_files, requirements, runtime_image
from modelyard_targets.kube.placement.placed import target_of
from tests.plans import plan_of, system_of
from tests.specs import VALID_SPEC, changed

SYSTEM = system_of(VALID_SPEC)
(TARGET,) = SYSTEM.deployment.targets
FILES = {file.path: file.text() for file in image_files(SYSTEM, TARGET)}


def test_image_has_the_installed_runtime() -> None:
    installed = Path(next(iter(modelyard_runtime.__path__)))
    modules = {path.relative_to(installed).as_posix() for path in installed.rglob("*.py")}

    assert {f"image/modelyard_runtime/{module}" for module in modules} <= set(FILES)
    assert all(
        FILES[f"image/modelyard_runtime/{module}"] == (installed / module).read_text(encoding="utf-8")
        for module in modules
    )


def test_image_is_based_on_ray_and_runs_without_root() -> None:
    lines = FILES["image/Dockerfile"].splitlines()

    assert "FROM docker.io/rayproject/ray:2.60.0-py311" in lines
    assert lines[-2:] == ["USER 1000", "WORKDIR /tmp"]


def test_every_requirement_is_pinned() -> None:
    lines = [line for line in FILES["image/requirements.txt"].splitlines() if not line.startswith(" ")]

    names = [line.partition("==")[0] for line in lines]
    assert names == sorted(names)
    assert all(re.match(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ;| \\)", line) for line in lines)


def test_only_frameworks_that_are_used_are_installed() -> None:
    assert [line for line in requirements(SYSTEM, TARGET) if line.startswith(("xgboost", "torch", "lightgbm"))] == [
        "xgboost==3.2.0"
    ]
    assert any(
        line.startswith("torch")
        for line in requirements(system_of(changed("framework: xgboost", "framework: pytorch")), TARGET)
    )


def test_mlflow_is_installed_only_where_the_registry_runs() -> None:
    """Only the image for the registry's target contains MLflow's server."""
    adopted = changed("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')

    assert "mlflow==3.17.2" in requirements(SYSTEM, TARGET)
    assert "mlflow==3.17.2" not in requirements(SYSTEM, replace(TARGET, name="elsewhere"))
    assert not [line for line in requirements(system_of(adopted), TARGET) if line.startswith(("mlflow==", "psycopg2"))]


def test_tag_depends_on_the_content() -> None:
    other = system_of(changed("framework: xgboost", "framework: lightgbm"))

    assert re.fullmatch("[0-9a-f]{12}", content_hash(SYSTEM, TARGET))
    assert content_hash(SYSTEM, TARGET) == content_hash(system_of(VALID_SPEC), TARGET)
    assert content_hash(SYSTEM, TARGET) != content_hash(other, TARGET)


def test_name_has_localhost_prefix_without_a_registry() -> None:
    """Without an image registry, the name begins with `localhost/`, so that nodes do not pull it from Docker Hub."""
    here = replace(TARGET, images=replace(TARGET.images, registry="registry.acme.example/ml"))

    assert runtime_image(SYSTEM, TARGET).startswith("localhost/fraud-runtime:")
    assert runtime_image(SYSTEM, here).startswith("registry.acme.example/ml/fraud-runtime:")


def test_base_image_comes_from_the_mirror() -> None:
    mirror = replace(TARGET, images=replace(TARGET.images, registry="registry.acme.example/ml", mirror=True))
    files = {file.path: file.text() for file in image_files(SYSTEM, mirror)}

    assert "FROM registry.acme.example/ml/rayproject/ray:2.60.0-py311" in files["image/Dockerfile"]


def test_runtime_image_is_not_needed_with_own_images() -> None:
    text = VALID_SPEC[: VALID_SPEC.index("monitors:\n")] + VALID_SPEC[VALID_SPEC.index("channels:\n") :]
    start, end = text.index("pipelines:\n"), text.index("inference:\n")
    text = text[:start] + text[end:]
    plan = plan_of(text)
    own = plan_of(
        text.replace(
            "    compute: cpu\n    replicas: {min: 2, max: 6}",
            "    source: {image: ghcr.io/acme/x:1}\n    compute: cpu\n    replicas: 2",
        ).replace("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')
    )

    assert needs_runtime_image(plan, "main")
    assert not needs_runtime_image(own, "main")
    assert target_of(own, "main").name == "main"
