"""The command line as a person or a pipeline meets it: what is printed, how it ends, and what lies on disk then."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from modelyard import __version__
from modelyard.api import compile_text
from modelyard.cli.init import templates
from modelyard.cli.main import COMMANDS, main
from modelyard.diagnostics import codes
from modelyard.disk.record import RECORD
from modelyard.disk.switch import LOCK
from modelyard.lock import LOCK_NAME
from tests.examples import SYSTEMS
from tests.hostile.seeds import Seed, seeds

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "modelyard"]
SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: churn}
governance: {owner: {team: growth, email: growth@acme.example}}
vars:
  replicas: {type: integer, default: 1, description: How many., min: 1, max: 8}
deployment: {mode: on-prem, provider: kubernetes, context: here}
registry: {adopt: "https://mlflow.acme.example", credentials: "secret://kubernetes/mlflow"}
models: {churn: {task: binary-classification, framework: xgboost}}
inference:
  score:
    variants: {only: {model: churn@champion}}
    compute: {cpu: 1, memory: 2Gi}
    replicas: "${vars.replicas}"
environments:
  prod: {inference: {score: {replicas: {min: 2, max: 4}}}}
"""


class Said:
    """What a run ended with and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def system(tmp_path: Path) -> Path:
    """A folder with a spec."""
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    return folder


@pytest.fixture
def wrong(system: Path) -> Path:
    """A folder with a spec that has a typo in it."""
    (system / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")
    return system


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Runs the command line in this process."""

    def said(*arguments: str | Path) -> Said:
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return said


Run = Callable[..., Said]


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file below a folder: its number on disk, when it was written, and what it holds."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(run: Run, command: str) -> None:
    """What it does, an example to copy, and every option with its meaning; on standard output, and 0."""
    said = run(command, "--help")

    assert said.code == 0
    assert f"modelyard {command}" in said.out.partition("example:")[2]
    assert said.err == ""


def test_the_first_help_shows_the_first_steps(run: Run) -> None:
    said = run("--help")

    assert said.code == 0
    assert all(command in said.out for command in COMMANDS)
    assert "first steps:" in said.out
    assert "exit codes:" in said.out


def test_the_version(run: Run) -> None:
    assert run("--version").out == f"modelyard {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [(), ("complie",), ("compile", "--no-such"), ("validate", "--format", "xml"), ("explain",)]
)
def test_what_cannot_be_understood_is_told_and_is_not_our_mistake(run: Run, arguments: tuple[str, ...]) -> None:
    """2 would say that modelyard is wrong."""
    said = run(*arguments)

    assert said.code == 1
    assert "usage: modelyard" in said.err
    assert said.out == ""


def test_the_module_is_the_command(system: Path) -> None:
    ended = subprocess.run([*COMMAND, "validate", str(system)], capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (0, "")
    assert "valid" in ended.stderr


# --- validate


def test_validate(run: Run, system: Path) -> None:
    for typed in (system, system / "system.yaml"):
        said = run("validate", typed)
        assert (said.code, said.out) == (0, "")
        assert said.err.endswith("system.yaml: valid\n")
    assert run("validate", system, "--env", "prod").err.endswith("valid for prod\n")


def test_this_folder_is_the_default(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the spec is called as it was given: no path of the machine."""
    monkeypatch.chdir(system)

    assert run("validate").err.endswith("system.yaml: valid\n")
    assert str(system) not in run("validate").err


def test_mistakes_are_told_on_standard_error(run: Run, wrong: Path) -> None:
    said = run("validate", wrong)

    assert (said.code, said.out) == (1, "")
    assert f"{wrong}/system.yaml:13:5" in said.err
    assert "E0203" in said.err
    assert "Traceback" not in said.err


def test_formats_for_machines_are_on_standard_output(run: Run, wrong: Path) -> None:
    """JSON and SARIF parse, annotations are lines of the form that GitHub reads; where nothing is wrong, too."""
    found = json.loads(run("validate", wrong, "--format", "json").out)
    sarif = json.loads(run("validate", wrong, "--format", "sarif").out)
    github = run("validate", wrong, "--format", "github")

    assert "E0203" in {one["code"] for one in found["diagnostics"]}
    assert sarif["version"] == "2.1.0"
    assert "E0203" in {one["ruleId"] for one in sarif["runs"][0]["results"]}
    assert all(line.startswith(("::error ", "::warning ")) for line in github.out.splitlines())
    assert (github.code, github.err) == (1, "")


@pytest.mark.parametrize("command", ["validate", "compile", "render"])
@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_formats_hold_where_nothing_can_be_read(run: Run, tmp_path: Path, command: str, form: str) -> None:
    said = run(command, tmp_path / "nowhere.yaml", "--format", form)

    assert said.code == 1
    assert "E0150" in said.out
    assert said.err == ""
    if form != "github":
        json.loads(said.out)


@pytest.mark.parametrize("command", ["validate", "compile", "render", "graph"])
def test_what_is_not_there_is_named(run: Run, tmp_path: Path, system: Path, command: str) -> None:
    """A file, a spec in a folder, an environment, a name that no environment can have, a variable."""
    (tmp_path / "empty").mkdir()
    for arguments, code in (
        ([tmp_path / "nowhere.yaml"], "E0150"),
        ([tmp_path / "empty"], "E0150"),
        ([system, "--env", "staging"], "E0130"),
        ([system, "--env", "../../etc"], "E0151"),
        ([system, "--set", "replicas"], "E0152"),
        ([system, "--set", "nothing=1"], "E0146"),
        ([system, "--set", "replicas=many"], "E0144"),
        ([system, "--set", "replicas=99"], "E0144"),
    ):
        said = run(command, *arguments)
        assert said.code == 1, arguments
        assert f"[{code}]" in said.err, (arguments, said.err)
    assert not (system / "build").exists()


@pytest.mark.parametrize("name", ["a b", "é", "-x", "a'b\"c", "$(id)", "a#b", "%41", "a\nb", "\x1b[31m", "%s{0}"])
def test_odd_paths_are_paths(run: Run, tmp_path: Path, name: str) -> None:
    """A folder may be called anything; what is printed of it does not drive a terminal."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")
    said = run("validate", folder)
    assert said.code == 1
    assert "E0203" in said.err
    assert "\x1b" not in said.err

    (folder / "system.yaml").write_text(SPEC, encoding="utf-8")
    done = run("compile", folder)
    assert done.code == 0
    assert "\x1b" not in done.err
    assert (folder / "build/default/main/README.md").is_file()
    assert str(tmp_path) not in (folder / LOCK_NAME).read_text(encoding="utf-8")


# --- compile


def test_compile(run: Run, system: Path) -> None:
    """The projects lie in build beside the spec, the lock too; the next step is told; nothing on standard output."""
    said = run("compile", system)

    assert (said.code, said.out) == (0, "")
    assert (system / "build/default/main/workloads/__main__.py").is_file()
    assert (system / LOCK_NAME).is_file()
    assert "pulumi up" in said.err


def test_compile_writes_what_the_public_function_gives(run: Run, system: Path) -> None:
    run("compile", system, "--env", "prod", "--set", "replicas=3")

    expected = compile_text(SPEC, environment="prod", variables={"replicas": "3"})
    found = {
        path: content
        for path, (_, _, content) in tree(system / "build").items()
        if path != LOCK and not path.endswith(f"/{RECORD}")
    }
    assert found == dict(expected.files)


def test_an_unchanged_compile_touches_nothing(run: Run, system: Path) -> None:
    """Not one file: the same numbers on disk, the same times."""
    run("compile", system)
    before = tree(system)

    said = run("compile", system)

    assert said.code == 0
    assert "nothing has changed" in said.err
    assert tree(system) == before


def test_variables_and_environments_are_changes(run: Run, system: Path) -> None:
    run("compile", system)
    assert "nothing has changed" not in run("compile", system, "--set", "replicas=3").err
    assert "nothing has changed" not in run("compile", system, "--env", "prod").err
    assert "nothing has changed" in run("compile", system, "--set", "replicas=3").err
    assert {path.name for path in (system / "build").iterdir() if not path.name.startswith(".")} == {"default", "prod"}


def test_one_changed_model_writes_only_its_files(run: Run, tmp_path: Path) -> None:
    """Of two hundred endpoints one gets more memory: its manifest is written, with the record and the lock."""
    one = "  e{0}: {{variants: {{only: {{model: churn@champion}}}}, compute: {{cpu: 1, memory: {1}Gi}}, replicas: 1}}\n"
    head = SPEC[: SPEC.index("inference:")] + "inference:\n"
    spec = tmp_path / "system.yaml"
    spec.write_text(head + "".join(one.format(at, 1) for at in range(200)), encoding="utf-8")
    run("compile", spec)
    before = tree(tmp_path)
    spec.write_text(head + "".join(one.format(at, 2 if at == 77 else 1) for at in range(200)), encoding="utf-8")

    said = run("compile", spec)

    after = tree(tmp_path)
    changed = {path for path in after if after[path] != before.get(path)}
    emitted = {path for path in changed if path.startswith("build/") and not path.endswith(f"/{RECORD}")}
    assert said.code == 0
    assert [Path(path).name for path in emitted] == ["model-e77.yaml"]
    assert set(after) == set(before)


def test_a_wrong_spec_leaves_the_old_output(run: Run, system: Path) -> None:
    run("compile", system)
    before = tree(system / "build")
    (system / "system.yaml").write_text(SPEC.replace("compute:", "compte:"), encoding="utf-8")

    assert run("compile", system).code == 1
    assert tree(system / "build") == before


def test_another_folder(run: Run, system: Path, tmp_path: Path) -> None:
    said = run("compile", system, "--out", tmp_path / "elsewhere")

    assert said.code == 0
    assert (tmp_path / "elsewhere/default/main/README.md").is_file()
    assert not (system / "build").exists()


def test_a_folder_that_cannot_be_written_is_told(run: Run, system: Path) -> None:
    (system / "build").write_text("a file", encoding="utf-8")

    said = run("compile", system)

    assert said.code == 1
    assert "E07" in said.err
    assert (system / "build").read_text(encoding="utf-8") == "a file"


def test_what_was_edited_by_hand_stays_unless_forced(run: Run, system: Path) -> None:
    """And with --force it is kept beside."""
    run("compile", system)
    edited = system / "build/default/main/workloads/manifests/model-score.yaml"
    edited.write_text("mine: true\n", encoding="utf-8")
    (system / "system.yaml").write_text(SPEC.replace("memory: 2Gi", "memory: 3Gi"), encoding="utf-8")

    refused = run("compile", system)
    assert (refused.code, "E0701" in refused.err) == (1, True)
    assert edited.read_text(encoding="utf-8") == "mine: true\n"

    assert run("compile", system, "--force").code == 0
    assert "mine" not in edited.read_text(encoding="utf-8")
    assert [path for path in edited.parent.iterdir() if path.read_text(encoding="utf-8") == "mine: true\n"]


# --- the other commands


@pytest.mark.parametrize("template", templates())
def test_a_template_compiles_at_once(run: Run, tmp_path: Path, template: str) -> None:
    folder = tmp_path / "my-first"
    said = run("init", folder, "--template", template)

    assert said.code == 0
    assert "modelyard compile" in said.err
    assert run("validate", folder).code == 0
    assert run("compile", folder).code == 0
    assert "name: my-first" in (folder / "system.yaml").read_text(encoding="utf-8")


def test_init_overwrites_nothing(run: Run, system: Path) -> None:
    said = run("init", system)

    assert said.code == 1
    assert "there already" in said.err
    assert (system / "system.yaml").read_text(encoding="utf-8") == SPEC


def test_init_lists_and_suggests(run: Run, tmp_path: Path) -> None:
    assert set(templates()) == {line.split()[0] for line in run("init", "--list").out.splitlines()}
    wrong = run("init", tmp_path / "x", "--template", "minimla")
    assert (wrong.code, "minimal" in wrong.err) == (1, True)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("seed", [pytest.param(seed, id=seed.name) for seed in seeds()])
def test_what_is_rendered_is_a_spec_that_compiles_to_the_same(run: Run, tmp_path: Path, seed: Seed) -> None:
    """Overlays and variables applied, defaults written out, and not one byte of the output is another."""
    (tmp_path / "system.yaml").write_text(seed.text, encoding="utf-8")
    said = run("render", tmp_path, *(["--env", seed.environment] if seed.environment else []))
    assert said.code == 0

    expected = compile_text(seed.text, environment=seed.environment)
    rendered = yaml.safe_load(said.out)
    text = "\n".join(line.partition("  # ")[0].rstrip() for line in said.out.splitlines()) + "\n"
    assert yaml.safe_load(text) == rendered
    again = compile_text(text, environment=None)
    assert again.ok, again.diagnostics
    environment = seed.environment or "default"
    ours = {path.partition("/")[2]: content for path, content in expected.files.items()}
    theirs = {path.partition("/")[2]: content for path, content in again.files.items()}
    if environment == "default":
        assert theirs == ours
    else:
        assert {path.replace("Pulumi.default.", f"Pulumi.{environment}.") for path in theirs} == set(ours)


def test_rendered_values_say_where_they_come_from(run: Run, system: Path) -> None:
    lines = run("render", system, "--env", "prod").out.splitlines()

    assert any("min: 2" in line and line.endswith("system.yaml:16") for line in lines)
    assert any(line.endswith("# default") for line in lines)


@pytest.mark.parametrize("code", ["E0203", "e0701", "E0150", "W0412"])
def test_explain_a_code(run: Run, code: str) -> None:
    said = run("explain", code)

    assert said.code == 0
    assert said.out.startswith(f"{code.upper()}: ")
    assert "Right:" in said.out


def test_every_code_has_its_page(run: Run) -> None:
    assert all(run("explain", code).code == 0 for code in codes())
    unknown = run("explain", "E9999")
    assert (unknown.code, unknown.out) == (1, "")


def test_explain_a_field(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "replicas" in run("explain", "inference.*.replicas").out
    assert "owner" in run("explain", "governance").out
    wrong = run("explain", "inference.*.replcias")
    assert (wrong.code, "replicas" in wrong.err) == (1, True)


def test_explain_an_address(run: Run, system: Path) -> None:
    """Which line made which resource."""
    said = run("explain", "inference.score", system)

    assert said.code == 0
    assert "system.yaml:11" in said.out
    assert "RayService/score" in said.out
    wrong = run("explain", "inference.scor", system)
    assert (wrong.code, "score" in wrong.err) == (1, True)


def test_graph(run: Run, system: Path) -> None:
    assert run("graph", system).out.startswith(("flowchart", "graph", "---"))
    assert run("graph", system, "--format", "dot").out.startswith("digraph")
    assert json.loads(run("graph", system, "--format", "json").out)
    assert run("graph", system, "--format", "json").code == 0


def test_schema(run: Run) -> None:
    assert json.loads(run("schema").out)["$schema"].endswith("2020-12/schema")
    assert json.loads(run("schema", "workload").out) != json.loads(run("schema").out)


# --- terminals, pipes and signals


def _on_a_terminal(arguments: list[str], **variables: str) -> str:
    """What is printed where both streams are a terminal."""
    ours, theirs = pty.openpty()
    env = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env={**env, "TERM": "xterm", **variables}
    )
    os.close(theirs)
    found = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        found += piece
    process.wait()
    os.close(ours)
    return found.decode()


def test_colour_is_for_terminals(wrong: Path, run: Run) -> None:
    assert "\x1b[" in _on_a_terminal(["validate", str(wrong)])
    assert "\x1b[" not in _on_a_terminal(["validate", str(wrong)], NO_COLOR="1")
    assert "\x1b[" not in _on_a_terminal(["validate", str(wrong)], TERM="dumb")
    assert "\x1b[" not in _on_a_terminal(["validate", str(wrong), "--color", "never"])
    assert "\x1b[" not in run("validate", wrong).err
    assert "\x1b[" in run("validate", wrong, "--color", "always").err


@pytest.mark.parametrize("arguments", [("schema",), ("render", "."), ("explain", "inference.*"), ("--help",)])
def test_a_reader_that_goes_away_is_no_mistake(system: Path, arguments: tuple[str, ...]) -> None:
    """As with `| head`: no traceback, and no code that says that something is wrong."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        ended = subprocess.run([*COMMAND, *arguments], stdout=gone, stderr=subprocess.PIPE, text=True, cwd=system)

    assert ended.stderr == ""
    assert ended.returncode == 0


def large(endpoints: int) -> str:
    """A spec whose compile takes a while."""
    one = "  e{0}: {{variants: {{only: {{model: churn@champion}}}}, compute: {{cpu: 1, memory: {1}Gi}}, replicas: 1}}\n"
    return SPEC[: SPEC.index("inference:")] + "inference:\n" + "".join(one.format(at, "{0}") for at in range(endpoints))


def whole(folder: Path) -> tuple[str, int]:
    """Which version of the large spec the tree is from, and how many manifests it has: one version, or this fails."""
    manifests = list((folder / "build/default/main").glob("workloads*/manifests/model-*.yaml"))
    versions = {"2Gi" if "memory: 2Gi" in path.read_text(encoding="utf-8") else "4Gi" for path in manifests}
    (version,) = versions
    return version, len(manifests)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_compile_that_is_ended_leaves_a_whole_tree(tmp_path: Path, run: Run, sent: signal.Signals) -> None:
    """The old one or the new one, at whatever moment; the next compile succeeds and leaves nothing behind."""
    spec, text, count = tmp_path / "system.yaml", large(150), 150
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in whatever a shell runs in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    spec.write_text(text.replace("{0}", "2"), encoding="utf-8")
    began = time.monotonic()
    assert run("compile", tmp_path).code == 0
    took = time.monotonic() - began
    interrupted = 0
    for turn in range(12):
        spec.write_text(text.replace("{0}", "42"[turn % 2]), encoding="utf-8")
        process = subprocess.Popen([*COMMAND, "compile", str(tmp_path)], stderr=subprocess.PIPE, text=True)
        time.sleep(0.1 + took * turn / 10)
        process.send_signal(sent)
        _, told = process.communicate()
        interrupted += process.returncode != 0
        assert whole(tmp_path)[1] == count
        if sent is signal.SIGINT and process.returncode not in (0, -signal.SIGINT):
            assert process.returncode == 130, told
            assert "Traceback" not in told

    assert interrupted > 0
    spec.write_text(text.replace("{0}", "4"), encoding="utf-8")
    assert run("compile", tmp_path).code == 0
    assert whole(tmp_path) == ("4Gi", count)
    assert {path.name for path in (tmp_path / "build/default").iterdir()} == {"main"}


def test_an_internal_error_confesses(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2, one line, no traceback unless it is asked for."""

    def broken(*_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("modelyard.cli.validate.understand", broken)

    said = run("validate", system)
    assert (said.code, said.out) == (2, "")
    assert "please report it" in said.err
    assert "Traceback" not in said.err
    assert "Traceback" in run("validate", system, "--debug").err


def test_explain_names_what_a_line_made_in_the_cloud(run: Run, tmp_path: Path) -> None:
    spec = tmp_path / "system.yaml"
    spec.write_bytes((SYSTEMS / "leads" / "system.yaml").read_bytes())
    told = run("explain", "stores.lake", str(spec)).out

    assert "main: ObjectStore lake, from" in told
    assert "Database" not in told
