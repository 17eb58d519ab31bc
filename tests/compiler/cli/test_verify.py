"""Tests that `modelyard verify` finds every change to the output and the lock, even by a deliberate attacker."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from modelyard.disk.record import RECORD
from modelyard.inputs import LOCK_NAME
from modelyard.lock import targets_locked
from tests.compiler.cli.commands import SPEC, Run

MANIFEST = "workloads/manifests/model-score.yaml"


@pytest.fixture
def compiled(run: Run, system: Path) -> Path:
    """Return a folder with a spec and the output for two of its environments."""
    assert run("compile", system).code == 0
    assert run("compile", system, "--env", "prod").code == 0
    return system


def edit(path: Path, old: str, new: str) -> None:
    """Replace a string in a file. The file must contain the string."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def tamper(system: Path) -> None:
    """Give a manifest more permissions than the spec grants, and update its recorded hash."""
    root = system / "build/default/main"
    edit(root / MANIFEST, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true")
    record = json.loads((root / RECORD).read_text(encoding="utf-8"))
    record["files"][MANIFEST] = sha256((root / MANIFEST).read_bytes()).hexdigest()
    (root / RECORD).write_text(json.dumps(record), encoding="utf-8")


def verify_codes(run: Run, system: Path, *more: str) -> list[str]:
    """Return the codes reported by `verify`, asserting that its exit code matches them."""
    result = run("verify", system, "--format", "json", *more)
    reported = [diagnostic["code"] for diagnostic in json.loads(result.out)["diagnostics"]]
    assert result.code == int(any(code.startswith("E") for code in reported))
    return reported


def test_verify_accepts_every_compiled_environment(run: Run, compiled: Path) -> None:
    result = run("verify", compiled)

    assert (result.code, result.err) == (0, f"{compiled}/build: verified default, prod\n")
    assert verify_codes(run, compiled, "--env", "prod") == []


def test_verify_finds_a_manifest_changed_together_with_its_hash(run: Run, compiled: Path) -> None:
    """compile trusts its own record, but verify doesn't. `compile --force` restores the compiled output."""
    tamper(compiled)

    assert "nothing has changed" in run("compile", compiled).err
    assert verify_codes(run, compiled) == ["E0710"]
    assert verify_codes(run, compiled, "--env", "prod") == []
    assert "1 written" in run("compile", compiled, "--force").err
    assert verify_codes(run, compiled) == []


def test_copies_kept_by_force_are_reported(run: Run, compiled: Path) -> None:
    """verify recommends `--force` for edited files, and recognizes the copies it keeps."""
    for text in ("mine\n", "mine again\n"):
        (compiled / "build/default/main/README.md").write_text(text)
        assert run("compile", compiled, "--force").code == 0
    (compiled / "build/default/main/notes.edited").write_text("a note\n")
    errors = run("verify", compiled).err

    for name in ("README.md.edited", "README.md.edited-2"):
        assert f"{name}' is the version of" in errors
    assert "notes.edited' is not part of the compiled spec" in errors
    assert "then delete the copy" in errors


def test_the_first_differing_line_is_reported(run: Run, compiled: Path) -> None:
    lines = (compiled / "build/default/main" / MANIFEST).read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, start=1) if "allowPrivilegeEscalation: false" in line)
    tamper(compiled)

    assert f"starting at line {number}" in run("verify", compiled).err


def link_readme(root: Path) -> None:
    """Replace the README with a link to a file on the machine."""
    (root / "README.md").unlink()
    (root / "README.md").symlink_to("/etc/hostname")


PROGRAM = "from modelyard_stacks import kubernetes\n"
CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "module": ("E0712", lambda root: (root / "workloads/yaml.py").write_text("print()\n")),
    "manifest": ("E0712", lambda root: (root / "workloads/manifests/extra.yaml").write_text("kind: Pod\n")),
    "target": ("E0712", lambda root: (root.parent / "other").mkdir()),
    "deleted": ("E0711", lambda root: (root / MANIFEST).unlink()),
    "program": ("E0710", lambda root: edit(root / "workloads/__main__.py", PROGRAM, f"import os\n{PROGRAM}")),
    "requirements": ("E0710", lambda root: (root / "workloads/requirements.txt").write_text("evil\n")),
    "link": ("E0704", link_readme),
    "venv": ("W0715", lambda root: (root / "workloads/venv").mkdir()),
    "settings": (
        "W0716",
        lambda root: edit(root / "workloads/Pulumi.default.yaml", "config:\n", "config:\n  churn:protect: false\n"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_kind_of_change_is_reported(run: Run, compiled: Path, change: str) -> None:
    code, apply = CHANGES[change]
    apply(compiled / "build/default/main")

    assert code in verify_codes(run, compiled)


def test_every_command_reports_a_wrong_pin(run: Run, compiled: Path) -> None:
    """A wrong pin in the lock doesn't affect its input hash, so the lock looks up to date."""
    lock = compiled / LOCK_NAME
    good = lock.read_text(encoding="utf-8")
    edit(lock, "2.60.0-py311", "9.9.9-evil")

    assert verify_codes(run, compiled) == ["E0717", "E0717"]
    for arguments, count in (((), 2), (("--env", "prod"), 1)):
        result = run("validate", compiled, *arguments)
        assert (result.code, result.err.count("error[E0717]")) == (1, count)
    assert "nothing has changed" not in run("compile", compiled).err
    assert verify_codes(run, compiled, "--env", "default") == []
    assert run("compile", compiled, "--env", "prod").code == 0
    assert lock.read_text(encoding="utf-8") == good


def test_pins_of_an_outdated_lock_are_ignored(run: Run, compiled: Path) -> None:
    """An outdated lock's pins come from an older spec or modelyard version, and are updated by the next compile."""
    edit(compiled / LOCK_NAME, "2.60.0-py311", "2.50.0-py311")
    edit(compiled / "system.yaml", "memory: 2Gi", "memory: 3Gi")

    assert run("validate", compiled).code == 0


def test_a_lock_of_another_spec_is_reported(run: Run, compiled: Path) -> None:
    edit(compiled / "system.yaml", "memory: 2Gi", "memory: 3Gi")

    assert "E0713" in verify_codes(run, compiled)
    (compiled / LOCK_NAME).unlink()
    assert "E0713" in verify_codes(run, compiled)


def test_a_resource_missing_from_the_lock_is_reported(run: Run, compiled: Path) -> None:
    """Manually deleting a resource from the lock would hide that the resource will be destroyed."""
    edit(
        compiled / LOCK_NAME,
        "      model-server/score: inference.score\n",
        "      model-server/other: inference.other\n",
    )

    assert "E0713" in verify_codes(run, compiled)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lockVersion: 2", "lockVersion: 2\napproved: {by: ciso}"),
        ("lockVersion: 2", "lockVersion: 2  # approved by security"),
        ('modelyard: "0.1.0"', 'modelyard: "9.1.0"'),
        ("schema: sha256:", "schema: sha255:"),
        ("resources:\n", "resources:\n  retired: {}\n"),
    ],
)
def test_every_line_of_the_lock_is_verified(run: Run, compiled: Path, old: str, new: str) -> None:
    edit(compiled / LOCK_NAME, old, new)

    assert verify_codes(run, compiled) == ["E0713"]
    assert run("compile", compiled, "--force").code == 0
    assert verify_codes(run, compiled) in (
        [],
        ["E0713"],
    )  # a removed environment remains until a user deletes its folder


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n", "\x00\x01", "[[[[", "- a\n", "lockVersion: 2\n"])
def test_an_unreadable_lock_is_never_overwritten(run: Run, compiled: Path, text: str) -> None:
    """A lock with a merge conflict can't be read, but lists resources that are still to be destroyed."""
    lock = compiled / LOCK_NAME
    broken = text + lock.read_text(encoding="utf-8").replace("lockVersion: 1\n", "")
    lock.write_text(broken, encoding="utf-8")

    for command in ("validate", "compile", "verify"):
        result = run(command, compiled)
        assert (result.code, "E0718" in result.err) == (1, True), command
    assert run("compile", compiled, "--force").code == 1
    assert lock.read_text(encoding="utf-8") == broken


def test_missing_output_is_reported(run: Run, system: Path) -> None:
    assert verify_codes(run, system) == ["E0714"]


def test_verify_reports_errors_in_the_spec(run: Run, compiled: Path) -> None:
    edit(compiled / "system.yaml", "compute:", "compte:")

    assert "E0203" in verify_codes(run, compiled, "--env", "prod")


def test_verify_writes_nothing(run: Run, compiled: Path) -> None:
    tamper(compiled)
    before = {path: path.stat().st_mtime_ns for path in compiled.rglob("*")}
    run("verify", compiled)

    assert {path: path.stat().st_mtime_ns for path in compiled.rglob("*")} == before


def test_a_link_to_a_lock_is_not_read(run: Run, compiled: Path, tmp_path: Path) -> None:
    (compiled / LOCK_NAME).rename(tmp_path / "elsewhere")
    (compiled / LOCK_NAME).symlink_to(tmp_path / "elsewhere")

    assert "E0713" in verify_codes(run, compiled)


def test_the_key_of_the_output_covers_inputs_and_pins(compiled: Path) -> None:
    text = (compiled / LOCK_NAME).read_text(encoding="utf-8")
    inputs = text.partition("inputs: ")[2].partition("\n")[0]
    (_, sealed), (_, other) = (
        targets_locked(lock, "default", inputs) for lock in (text, text.replace("2.60.0-py311", "2.60.1-py311"))
    )

    assert sealed != other


# --- files that are read and printed


def test_links_out_of_the_repository_are_not_read(run: Run, tmp_path: Path) -> None:
    """Links out of the repository aren't read, or a pull request could make a CI runner print its own token."""
    token = tmp_path / "token"
    token.write_text("s3cr3t-deploy-token-of-the-runner-1234\n", encoding="utf-8")
    checkout = tmp_path / "checkout"
    (checkout / "environments").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    (checkout / "system.yaml").write_text(SPEC, encoding="utf-8")
    (checkout / "environments/evil.yaml").symlink_to(token)
    (checkout / "folder").symlink_to(tmp_path)
    (checkout / "spec.yaml").symlink_to(token)

    for arguments in (["--env", "evil"], []):
        result = run("validate", checkout, *arguments)
        assert (result.code, "E0156" in result.err, "s3cr3t" in result.err) == (1, True, False)
    for path in ("spec.yaml", "folder/token"):
        result = run("validate", checkout / path)
        assert (result.code, "E0156" in result.err, "s3cr3t" in result.err) == (1, True, False)


def test_links_inside_the_repository_are_followed(run: Run, system: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(system)], check=True)
    (system / "shared").mkdir()
    (system / "system.yaml").rename(system / "shared/base.yaml")
    (system / "system.yaml").symlink_to("shared/base.yaml")

    assert run("validate", system).code == 0


@pytest.mark.parametrize(
    "text",
    [
        "s3cr3t-deploy-token\n",
        "aws_secret_access_key = s3cr3t\n",
        "apiVersion: v1\nkind: Config\nusers: [{name: a, user: {token: s3cr3t}}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {key: s3cr3t}}\n",
        "[default]\nsession = s3cr3t\n",
    ],
)
def test_no_line_of_an_unrelated_file_is_printed(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "named-by-mistake"
    path.write_text(text, encoding="utf-8")
    result = run("validate", path)

    assert (result.code, "s3cr3t" in result.err) == (1, False)
    assert "error[" in result.err


def test_lines_of_a_broken_spec_are_printed(run: Run, tmp_path: Path) -> None:
    """A file counts as a spec if it has our apiVersion or, like an overlay, one of our sections."""
    for text in ("apiVersion: modelyard.dev/v1alpha1\nkind: [\n", '{"models": {"a": }}\n', "inference:\n  a: [\n"):
        (tmp_path / "system.yaml").write_text(text, encoding="utf-8")
        assert " | " in run("validate", tmp_path).err


def test_reading_stops_at_the_size_limit(run: Run) -> None:
    """An endless device such as /dev/zero cannot hang the command."""
    result = run("validate", "/dev/zero")

    assert (result.code, "E0114" in result.err) == (1, True)
