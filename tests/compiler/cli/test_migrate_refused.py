"""Tests which moves and options `modelyard migrate` refuses. It then writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiler.cli.commands import Run


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--from", "mian", "--to", "gcp"), "E0541"),
        (("--to", "gpc"), "E0542"),
        ((), "E0542"),
        (("--to", "aws"), "E0543"),
        (("--to", "aws:eu-central-1"), "E0543"),
        (("--to", "main"), "E0543"),
        (("--to", "local"), "E0544"),
        (("--to", "kubernetes:frankfurt"), "E0544"),
        (("--to", "gcp", "--name", "aws"), "E0545"),
        (("--to", "gcp", "--name", "../x"), "E0545"),
    ],
)
def test_moves_that_are_none_are_refused(run: Run, hello: Path, arguments: tuple[str, ...], code: str) -> None:
    result = run("migrate", hello, "--env", "aws", *arguments)

    assert result.code == 1
    assert f"error[{code}]" in result.err
    assert not (hello / "migration").exists()


def test_residency_that_excludes_every_region_is_named(run: Run, hello: Path) -> None:
    spec, cloud = hello / "system.yaml", hello / "environments" / "aws.yaml"
    text = spec.read_text(encoding="utf-8")
    spec.write_text(text.replace("governance: {", "governance: {residency: [ie], ", 1), encoding="utf-8")
    cloud.write_text(cloud.read_text(encoding="utf-8").replace("eu-central-1", "eu-west-1"), encoding="utf-8")
    result = run("migrate", hello, "--env", "aws", "--to", "gcp")

    assert result.code == 1
    assert (
        "error[E0544]: cannot move to 'gcp': `governance.residency` allows only ie, where it has no region"
        in result.err
    )
    assert "to `governance.residency` if data may be stored there" in result.err
    assert not (hello / "migration").exists()


def test_a_state_needs_a_plan(run: Run, hello: Path) -> None:
    result = run("migrate", hello, "--status")

    assert result.code == 1
    assert "error[E0549]" in result.err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--to", "gcp", "--rehearse", "--out", "x"), "--out: not allowed with argument --rehearse"),
        (("--to", "gcp", "--python", "x"), "--python: only allowed with argument --rehearse"),
        (("--status", "--rehearse"), "--rehearse: not allowed with argument --status"),
        (("--status", "--done", "1-build"), "--done: not allowed with argument --status"),
        (("--status", "--env", "aws"), "--env: not allowed with argument --status"),
        (("--done", "1-build", "--from", "main"), "--from: not allowed with argument --done"),
    ],
)
def test_options_without_effect_are_errors(run: Run, hello: Path, arguments: tuple[str, ...], error: str) -> None:
    result = run("migrate", hello, *arguments)

    assert result.code == 1
    assert result.err == f"modelyard migrate: error: argument {error}\n"
    assert not (hello / "migration").exists()
