"""Accelerators that built-in code leaves idle: pointed out where they are asked for, and never for a user's code."""

from __future__ import annotations

import pytest

from tests.compiler.checks.asked import codes_in
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
def test_xgboost_computes_where_its_device_says(written: str, codes: list[str]) -> None:
    """Code of the user's own computes as it pleases."""
    assert codes_in(changed(DEVICE, written)) == codes


@pytest.mark.parametrize(("count", "codes"), [("1", []), ("4", ["W0861"])])
def test_a_worker_computes_on_one_device(count: str, codes: list[str]) -> None:
    """Of the first choice and of any other."""
    assert codes_in(changed('"A10G:1"', f'"A10G:{count}"')) == codes


def test_predictions_are_made_on_cpus() -> None:
    """Where built-in trainers alone make the model; `try-out` is code of the user's own, which may make any."""
    variant = "champion: {model: fraud-xgb@champion"
    built_in = ('    source: {entrypoint: "fraud.train:main"}\n    compute: train\n', "    compute: cpu\n")

    assert codes_in(changed(variant, f"{variant}, compute: train")) == []
    assert codes_in(changed(variant, f"{variant}, compute: train", built_in)) == ["W0860"]
