"""Tests that a small Pulumi project can be deployed, left unchanged, resumed after a kill, and destroyed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.kubernetes.control_plane import Cluster
from testbed.processes import session
from testbed.pulumi.stack import Failed, PulumiStack

TINY = Path(__file__).parent / "programs" / "tiny"


@pytest.fixture
def tiny(control_plane: Cluster, pulumi_stack: Callable[..., PulumiStack]) -> PulumiStack:
    """Return a stack of the tiny project with access to the control plane."""
    stack = pulumi_stack(TINY, "test")
    stack.configure("kubeconfig", control_plane.kubeconfig.read_text(), secret=True)
    return stack


def test_up_again_changes_nothing_and_destroy_leaves_nothing(control_plane: Cluster, tiny: PulumiStack) -> None:
    """Resources are created, left alone by a second run, updated once, found free of drift, and destroyed."""
    assert set(tiny.preview().changes.values()) == {"create"}

    first = tiny.up()
    assert set(first.changes.values()) == {"create"}
    assert control_plane.kubectl.value("deployment", "web", "{.status.availableReplicas}", "tiny") == "2"

    assert tiny.up().changed == {}

    tiny.configure("replicas", "3")
    assert [(urn.rpartition("::")[2], change) for urn, change in tiny.up().changed.items()] == [("web", "update")]

    assert tiny.refresh().changed == {}

    assert set(tiny.destroy().changes.values()) == {"delete"}
    assert tiny.resources() == []
    assert control_plane.kubectl.value("namespace", "tiny", "{.metadata.name}") == ""


def test_a_killed_run_is_resumed(control_plane: Cluster, tiny: PulumiStack) -> None:
    """After a run is killed midway, the next one finishes the work and the one after is a no-op."""
    running = tiny.start("up")
    while running.begun < 6 and not running.ended:
        time.sleep(0.02)
    assert not running.ended
    running.kill()
    assert session(running.leader) == []
    tiny.unlock()
    assert len(tiny.resources()) < 14

    tiny.up()

    assert len(tiny.resources()) == 14
    assert tiny.up().changed == {}
    tiny.destroy()
    assert control_plane.kubectl.value("namespace", "tiny", "{.metadata.name}") == ""


def test_failed_run_raises_the_engines_error(tiny: PulumiStack) -> None:
    """If a run fails, the raised error contains the engine's message."""
    tiny.configure("replicas", "many")

    with pytest.raises(Failed, match="replicas"):
        tiny.up()
