"""Tests how a Stack's files are rendered, and how settings are merged with Pulumi's changes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import yaml

from modelyard.disk import OutputFile, write_tree
from modelyard.emit import emit, stack_files
from modelyard.program import WRITTEN_BY, Call, Import, Program
from modelyard.stack import Manifest, ManifestFile, Project, Stack, TextFile, Value

PROGRAM = Program(
    title=WRITTEN_BY,
    imports=(Import("pulumi"), Import("modelyard_stacks", "base")),
    calls=(Call("fraud", "base.Network", "fraud", (("zones", 3),)),),
)
SETTINGS: Mapping[str, Value] = {
    "context": "on-prem",
    "replicas": 3,
    "private": True,
    "zones": ("a", "b"),
    "ratio": 0.5,
    "labels": {"a": "b"},
    "mixed": ["a", 1],
    "none": (),
}


def pods() -> Iterator[Manifest]:
    """Yield two Kubernetes objects of one workload."""
    for name in ("a", "b"):
        yield {"kind": "Pod", "metadata": {"name": name}}


PROJECT = Project(
    folder="workloads",
    name="fraud-main-workloads",
    description="Fraud detection: workloads",
    program=PROGRAM,
    components=("base",),
    requirements=("pulumi==3.272.0", "pulumi-kubernetes==4.34.2"),
    settings=SETTINGS,
    manifests=(ManifestFile("pods", pods),),
)
STACK = Stack("prod", "main", (PROJECT,), (TextFile("README.md", lambda: "# Fraud\n"),))


def texts(stack: Stack) -> dict[str, str]:
    """Return the text of every file of a stack, by its path."""
    return {file.path: file.render().decode() for file in stack_files(stack)}


def test_a_stack_has_these_files() -> None:
    """Each project has Pulumi's files, its components and its manifests. The target adds text files."""
    assert [file.path for file in emit(STACK)] == [
        "prod/main/workloads/Pulumi.yaml",
        "prod/main/workloads/Pulumi.prod.yaml",
        "prod/main/workloads/__main__.py",
        "prod/main/workloads/requirements.txt",
        "prod/main/workloads/modelyard_stacks/__init__.py",
        "prod/main/workloads/modelyard_stacks/base.py",
        "prod/main/workloads/manifests/pods.yaml",
        "prod/main/README.md",
    ]


def test_files_name_their_generator_and_declare_settings() -> None:
    """Files name their generator in a comment, and settings are declared with types supported by Pulumi."""
    files = texts(STACK)

    assert files["workloads/Pulumi.yaml"] == (
        f"# {WRITTEN_BY}\n"
        "name: fraud-main-workloads\n"
        'description: "Fraud detection: workloads"\n'
        "runtime:\n"
        "  name: python\n"
        "  options:\n"
        "    toolchain: pip\n"
        "    virtualenv: venv\n"
        "config:\n"
        "  context:\n"
        "    type: string\n"
        "  replicas:\n"
        "    type: integer\n"
        "  private:\n"
        "    type: boolean\n"
        "  zones:\n"
        "    type: array\n"
        "    items:\n"
        "      type: string\n"
        "  labels:\n"
        "    type: object\n"
        "  none:\n"
        "    type: array\n"
        "    items:\n"
        "      type: string\n"
    )
    assert yaml.safe_load(files["workloads/Pulumi.prod.yaml"]) == {
        "config": {
            f"fraud-main-workloads:{key}": list(value) if isinstance(value, tuple) else value
            for key, value in SETTINGS.items()
        }
    }
    assert files["workloads/__main__.py"].startswith(f'"""{WRITTEN_BY}"""\n\nimport pulumi\n')
    assert files["workloads/requirements.txt"] == "pulumi==3.272.0\npulumi-kubernetes==4.34.2\n"
    assert files["workloads/manifests/pods.yaml"] == (
        f"# {WRITTEN_BY}\nkind: Pod\nmetadata:\n  name: a\n---\nkind: Pod\nmetadata:\n  name: b\n"
    )
    assert files["README.md"] == "# Fraud\n"


def test_components_are_copied_byte_for_byte() -> None:
    """The components in the output are the same files that were tested."""
    library = Path(__file__).parents[2] / "stacks/modelyard_stacks"
    files = {file.path: file.render() for file in stack_files(STACK)}

    for module in ("__init__", "base"):
        assert files[f"workloads/modelyard_stacks/{module}.py"] == (library / f"{module}.py").read_bytes()


def test_components_include_their_packages() -> None:
    """Each package containing components is written once, before its first component."""
    project = replace(PROJECT, components=("base", "cloud.deep.a", "cloud.b"))
    folder = "prod/main/workloads/modelyard_stacks/"
    paths = [file.path for file in emit(replace(STACK, projects=(project,)))]

    assert [path.removeprefix(folder) for path in paths if path.startswith(folder)] == [
        "__init__.py",
        "base.py",
        "cloud/__init__.py",
        "cloud/deep/__init__.py",
        "cloud/deep/a.py",
        "cloud/b.py",
    ]


def test_emitting_imports_no_component() -> None:
    """Emitting reads the component library as text, since an import would also import Pulumi."""
    code = (
        "import sys; from modelyard.emit import _component; _component('base');"
        "print(sorted({'pulumi', 'modelyard_stacks', 'jinja2'} & {name.partition('.')[0] for name in sys.modules}))"
    )

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_a_missing_component_raises() -> None:
    """A missing component is a bug in modelyard, so an exception is raised."""
    with pytest.raises(LookupError, match=r"modelyard_stacks\.nowhere"):
        texts(replace(STACK, projects=(replace(PROJECT, components=("nowhere",)),)))


def test_a_project_without_settings_has_no_configuration() -> None:
    """Without settings, no configuration is declared and no component folder is written."""
    files = texts(replace(STACK, projects=(replace(PROJECT, components=(), settings={}, manifests=()),), texts=()))

    assert list(files) == [
        f"workloads/{name}" for name in ("Pulumi.yaml", "Pulumi.prod.yaml", "__main__.py", "requirements.txt")
    ]
    assert "config" not in files["workloads/Pulumi.yaml"]
    assert yaml.safe_load(files["workloads/Pulumi.prod.yaml"]) == {"config": {}}


def test_manifests_are_rendered_when_written() -> None:
    """Manifests are rendered one at a time, so ten thousand workloads are never in memory at once."""
    rendered: list[int] = []

    def render_pod(number: int) -> Iterator[Manifest]:
        rendered.append(number)
        yield {"kind": "Pod", "metadata": {"name": f"p{number}"}}

    manifests = (ManifestFile(f"p{number}", partial(render_pod, number)) for number in range(3))
    files = list(stack_files(replace(STACK, projects=(replace(PROJECT, manifests=tuple(manifests)),))))

    assert rendered == []
    assert b"p1" in next(file.render() for file in files if file.path.endswith("p1.yaml"))
    assert rendered == [1]


def write(out: Path, settings: Mapping[str, Value], *, force: bool = False) -> list[str]:
    """Write the project's settings and return the codes of any conflicts."""
    stack = replace(STACK, projects=(replace(PROJECT, settings=settings),))
    files: list[OutputFile] = [file for file in stack_files(stack) if file.path.endswith("prod.yaml")]
    return [problem.code for problem in write_tree(out, "prod", "main", files, repr(settings), force)[1]]


def settings_file(out: Path) -> Path:
    """Return the settings file that Pulumi also writes to."""
    return out / "prod/main/workloads/Pulumi.prod.yaml"


def test_additions_by_pulumi_are_kept(tmp_path: Path) -> None:
    """Compiling keeps the salt added by `pulumi stack init`, and configuration from `pulumi config set`."""
    assert write(tmp_path, {"context": "a", "old": "x"}) == []
    path = settings_file(tmp_path)
    by_pulumi = (
        "encryptionsalt: v1:abc:def\nconfig:\n  fraud-main-workloads:old: x\n  fraud-main-workloads:context: a\n"
        "  fraud-main-workloads:kubeconfig:\n    secure: v1:zzz\n"
    )
    path.write_text(by_pulumi)
    before = path.stat()
    assert write(tmp_path, {"context": "a", "old": "x"}) == []
    assert (path.read_text(), path.stat().st_ino) == (by_pulumi, before.st_ino)

    assert write(tmp_path, {"context": "b"}) == []
    assert path.read_text() == (
        f"# {WRITTEN_BY}\n"
        "config:\n"
        "  fraud-main-workloads:context: b\n"
        "  fraud-main-workloads:kubeconfig:\n"
        "    secure: v1:zzz\n"
        "encryptionsalt: v1:abc:def\n"
    )
    assert write(tmp_path, {"context": "b"}) == []
    assert write(tmp_path, {"context": "c"}) == []
    assert "encryptionsalt: v1:abc:def\n" in path.read_text()
    assert "context: c\n" in path.read_text()


def test_a_salt_and_a_changed_spec_at_once_are_no_conflict(tmp_path: Path) -> None:
    """The salt added by Pulumi doesn't conflict with a new value of one of our settings."""
    write(tmp_path, {"context": "a"})
    path = settings_file(tmp_path)
    path.write_text(path.read_text() + "encryptionsalt: v1:abc:def\n")

    assert write(tmp_path, {"context": "b"}) == []
    assert yaml.safe_load(path.read_text()) == {
        "config": {"fraud-main-workloads:context": "b"},
        "encryptionsalt": "v1:abc:def",
    }


@pytest.mark.parametrize(
    "edited", ["config:\n  fraud-main-workloads:context: mine\n", "config: []\n", "{", "config: {}\n"]
)
def test_an_edited_setting_of_ours_is_refused(tmp_path: Path, edited: str) -> None:
    """Edits to our settings are refused. With force, they are kept in a separate file along with the salt."""
    write(tmp_path, {"context": "a"})
    path = settings_file(tmp_path)
    path.write_text(edited)

    assert write(tmp_path, {"context": "b"}) == ["E0701"]
    assert path.read_text() == edited
    assert write(tmp_path, {"context": "b"}, force=True) == []
    assert yaml.safe_load(path.read_text()) == {"config": {"fraud-main-workloads:context": "b"}}
    assert path.with_name("Pulumi.prod.yaml.edited").read_text() == edited


def test_a_conflicting_earlier_setting_is_refused(tmp_path: Path) -> None:
    """If one of our keys already has a different value in the file, the user must resolve the conflict."""
    write(tmp_path, {"context": "a"})
    path = settings_file(tmp_path)
    path.write_text(path.read_text() + "  fraud-main-workloads:replicas: 5\n")

    assert write(tmp_path, {"context": "a", "replicas": 3}) == ["E0701"]
    assert write(tmp_path, {"context": "a", "replicas": 5}) == []
