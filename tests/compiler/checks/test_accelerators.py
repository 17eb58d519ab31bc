"""Tests that accelerators that built-in code leaves idle are reported, but never for user code."""

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
    """A GPU for built-in XGBoost is reported unless `device` selects it. User code may use any device."""
    assert codes_in(changed(DEVICE, written)) == codes


@pytest.mark.parametrize(("count", "codes"), [("1", []), ("4", ["W0861"])])
def test_a_worker_uses_only_one_device(count: str, codes: list[str]) -> None:
    """The check covers the preferred accelerator and all alternatives."""
    assert codes_in(changed('"A10G:1"', f'"A10G:{count}"')) == codes


def test_built_in_predictions_use_only_cpus() -> None:
    """The check covers only models from built-in trainers. `try-out` is user code, which may produce any model."""
    variant = "champion: {model: fraud-xgb@champion"
    built_in = ('    source: {entrypoint: "fraud.train:main"}\n    compute: train\n', "    compute: cpu\n")

    assert codes_in(changed(variant, f"{variant}, compute: train")) == []
    assert codes_in(changed(variant, f"{variant}, compute: train", built_in)) == ["W0860"]
