"""Tests how a program reads outputs from the infrastructure project's stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.programs import Refused, of_type, project, registrations

PROGRAM = """\
from modelyard_stacks.infrastructure import Infrastructure

infrastructure = Infrastructure("below"{more})
cluster = kubernetes.Cluster("main", kubeconfig=infrastructure["kubeconfig"])
kubernetes.Object(
    "seen",
    cluster=cluster,
    document={{
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {{"name": "seen", "namespace": "tiny"}},
        "data": {{"stack": infrastructure.name, "host": infrastructure["host"]}},
    }},
)
"""
SECRET = "4dabf18193072939515e22adb298388d"
"""Pulumi's marker for values that it encrypts."""


def seen(folder: Path, settings: str = "", more: str = "") -> dict[str, str]:
    """Run a program and return the name of the referenced stack and the value of its output `host`."""
    (registered,) = registrations(project(folder / "p", PROGRAM.format(more=more), settings=settings))
    (config_map,) = of_type(registered, "kubernetes:core/v1:ConfigMap")
    data: dict[str, str] = config_map["inputs"]["data"]
    return data


def test_default_stack_has_the_same_name_and_organization(tmp_path: Path) -> None:
    assert seen(tmp_path) == {"stack": "organization/below/prod", "host": "the host"}


def test_setting_selects_another_stack(tmp_path: Path) -> None:
    assert seen(tmp_path, settings="infrastructure: acme/below/other")["stack"] == "acme/below/other"


def test_second_target_uses_its_own_setting(tmp_path: Path) -> None:
    outputs = seen(tmp_path, settings="infrastructure: acme/a/b\nedge: acme/below/edge", more=', setting="edge"')

    assert outputs["stack"] == "acme/below/edge"


def test_missing_output_fails_the_run(tmp_path: Path) -> None:
    """A missing output fails the run.

    A stack that was never applied has no outputs, and mocks lack outputs whose names are computed by the program.
    """
    program = PROGRAM.format(more=', setting="edge"').replace('infrastructure["host"]', 'infrastructure["ho" + "st"]')
    expected = (
        "the stack organization/below/prod has no output host: apply its project first, or set the stack to read:"
        " pulumi config set edge ORGANIZATION/PROJECT/STACK"
    )

    with pytest.raises(Refused, match=expected):
        registrations(project(tmp_path / "p", program))


def test_kubeconfig_output_stays_secret(tmp_path: Path) -> None:
    (registered,) = registrations(project(tmp_path / "p", PROGRAM.format(more=""), settings=""))
    (provider,) = of_type(registered, "pulumi:providers:kubernetes")

    assert SECRET in provider["inputs"]["kubeconfig"]
