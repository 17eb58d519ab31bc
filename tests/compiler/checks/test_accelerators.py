"""Tests that accelerators left idle by built-in code are reported. User code may use any accelerator."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in
from tests.specs import changed

DEVICE = "    parameters: {device: cuda}\n"


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("", ["W0860"]),
        (DEVICE, []),
        ("    parameters: {device: cpu}\n", ["W0860"]),
        ('    source: {image: "registry.acme.example/fraud:1", entrypoint: "fraud.train:main"}\n', []),
    ],
)
def test_xgboost_uses_a_gpu_only_if_device_says_so(written: str, codes: list[str]) -> None:
    """A GPU for built-in XGBoost training is reported unless `device` selects it. User code may use any device."""
    assert codes_in(changed(DEVICE, written)) == codes


@pytest.mark.parametrize(("count", "codes"), [("1", []), ("4", ["W0861"])])
def test_a_worker_uses_only_one_device(count: str, codes: list[str]) -> None:
    """Multiple devices per worker are reported, both for the preferred accelerator and for alternatives."""
    assert codes_in(changed('"A10G:1"', f'"A10G:{count}"')) == codes


def test_built_in_predictions_use_only_cpus() -> None:
    """A serving GPU is only reported for models from built-in trainers. The `try-out` pipeline is user code."""
    variant = "champion: {model: fraud-xgb@champion"
    built_in = ('    source: {entrypoint: "fraud.train:main"}\n    compute: train\n', "    compute: cpu\n")

    assert codes_in(changed(variant, f"{variant}, compute: train")) == []
    assert codes_in(changed(variant, f"{variant}, compute: train", built_in)) == ["W0860"]
