"""Fixtures for real programs, each of which starts once per session when first needed and is always stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from xdist.scheduler import LoadScopeScheduling  # pyright: ignore[reportMissingTypeStubs]  # ships no types

from testbed import environments, image, machine, npm
from testbed.browser import Browser
from testbed.browser import browser as running_browser
from testbed.browser import missing as missing_browser
from testbed.charts import ChartRepository
from testbed.kubernetes import nodes
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.control_plane import control_plane as running_control_plane
from testbed.kubernetes.whole_kubernetes import WholeKubernetes
from testbed.kubernetes.whole_kubernetes import whole_kubernetes as running_whole_kubernetes
from testbed.places import binary
from testbed.pulumi.stack import PulumiStack
from tests.real.promtool import Prometheus

StackMaker: TypeAlias = Callable[..., PulumiStack]

_cannot_run = pytest.StashKey[dict[str, None]]()
_TOLD = "cannot run here"

_SHARED = {
    **dict.fromkeys(
        (
            "test_copy_jobs_in_pods.py",
            "test_network_policies.py",
            "test_smallest_example.py",
            "test_whole_kubernetes.py",
            "test_whole_life.py",
            "test_workloads.py",
        ),
        "whole Kubernetes",
    ),
    **dict.fromkeys(("test_environments.py", "test_typed_programs.py"), "cache of mypy"),
    **{
        file: file
        for file in ("test_least_privilege.py", "test_local_copies.py", "test_runtime.py", "test_scanners.py")
    },
}
"""What a machine can run only once or what is slow to create, by the test file that uses it."""

_FIRST = (
    "test_aws_examples.py",
    "test_aws_changes.py",
    "test_azure_changes.py",
    "test_azure_projects.py",
    "test_hybrid.py",
    "test_local_systems.py",
    "test_training.py",
    "test_examples.py",
    "test_injection.py",
)
"""Files with tests that take over a minute. They run first, so that no worker is left with one at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Create the collection of reasons for skipped tests, which are printed at the end of the run."""
    config.stash[_cannot_run] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the tests in slow files to the front, in the order of the files."""
    ranks = {name: rank for rank, name in enumerate(_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the reasons for a worker's skipped tests to the controller."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_TOLD] = [*session.config.stash[_cannot_run]]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Collect the reasons for a worker's skipped tests, unless the worker crashed."""
    node.config.stash[_cannot_run].update(dict.fromkeys(getattr(node, "workeroutput", {}).get(_TOLD, ())))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what could not run on this machine, with the reasons."""
    if reasons := config.stash[_cannot_run]:
        terminalreporter.section("what this machine cannot run")
        for reason in reasons:
            terminalreporter.write_line(f"- {reason}")


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # its base has no types
    """Distributes tests one by one, but runs all files sharing a fixture on the same pytest worker."""

    def _split_scope(self, nodeid: str) -> str:
        return _SHARED.get(nodeid.partition("::")[0].rpartition("/")[2], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Replace xdist's own `loadgroup`, as version 3.8 doesn't find marks with pytest 9.2."""
    return Sharing(config, log)


def _demand(request: pytest.FixtureRequest, part: str, reasons: list[str]) -> None:
    """Skip the test if something it needs can't run, reporting why at the end. With CI=true, fail instead."""
    if not reasons:
        return
    sentence = f"{part}: {'; '.join(reasons)}"
    request.config.stash[_cannot_run][sentence] = None
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Return a function that maps a program's name to its path, e.g. `built("promtool")`."""

    def program(name: str) -> Path:
        path = binary(name)
        _demand(request, name, [] if path.exists() else ["it is not built; `make testbed` does it"])
        return path

    return program


@pytest.fixture(scope="session")
def rclone(request: pytest.FixtureRequest) -> None:
    """Require rclone."""
    _demand(request, "rclone", machine.missing_for_copies())


@pytest.fixture(scope="session")
def azurite(request: pytest.FixtureRequest) -> None:
    """Require Azurite."""
    _demand(request, "Azurite", npm.missing_for_azure())


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Run a headless browser with an empty profile."""
    _demand(request, "a browser", missing_browser())
    with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run a control plane with two large simulated GPU nodes."""
    _demand(request, "a control plane", machine.missing_for_control_plane())
    with running_control_plane(tmp_path_factory.mktemp("control-plane")) as cluster:
        gpus = (("nvidia.com/gpu", 8),)
        nodes.add_nodes(cluster.kubectl, [nodes.Node(f"large-{number}", resources=gpus) for number in range(2)])
        yield cluster


@pytest.fixture(scope="session")
def program_environment() -> Callable[[Path], Path]:
    """Return a function that installs only a requirements.txt in a new environment and returns its Python."""
    return environments.program_environment


@pytest.fixture
def pulumi_stack(request: pytest.FixtureRequest, tmp_path: Path) -> StackMaker:
    """Return a function that creates a project's stack with its own state, e.g. `pulumi_stack(folder, "prod")`."""
    _demand(request, "the Pulumi engine", machine.missing_for_control_plane())
    count = iter(range(1000))

    def make(project: Path, stack: str, **variables: str) -> PulumiStack:
        python = environments.program_environment(project / "requirements.txt")
        return PulumiStack(project, stack, tmp_path / f"pulumi-{next(count)}", python, variables)

    return make


@pytest.fixture(scope="session")
def chart_repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChartRepository]:
    """Run a Helm chart repository on loopback."""
    with ChartRepository(tmp_path_factory.mktemp("charts")) as repository:
        yield repository


@pytest.fixture(scope="session")
def yaml_language_server(request: pytest.FixtureRequest) -> list[str]:
    """Return the command of the YAML language server that editors use."""
    _demand(request, "the language server of YAML", npm.missing_for_editors())
    return npm.language_server()


@pytest.fixture(scope="session")
def base_image(request: pytest.FixtureRequest) -> Path:
    """Return the archive of an image with the same name as Ray's published image."""
    _demand(request, "images", machine.missing_for_images())
    return image.base_image()


@pytest.fixture(scope="session")
def whole_kubernetes(request: pytest.FixtureRequest) -> Iterator[WholeKubernetes]:
    """Run a complete Kubernetes cluster with one real node, in a network with no route out."""
    _demand(request, "a whole Kubernetes", machine.missing_for_whole_kubernetes())
    with running_whole_kubernetes() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def promtool(built: Callable[[str], Path]) -> Path:
    """Return the path of promtool, which checks Prometheus rules."""
    return built("promtool")


@pytest.fixture
def prometheus(promtool: Path, tmp_path: Path) -> Prometheus:
    return Prometheus(promtool, tmp_path)
