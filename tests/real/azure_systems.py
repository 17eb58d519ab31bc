"""Compiles systems on Azure, and prepares a subscription as required by their README."""

from __future__ import annotations

import re
from pathlib import Path

from modelyard.disk import Tree, write_trees
from modelyard.emit import stack_files
from testbed.clouds.azure.cloud import SUBSCRIPTION, Cloud
from testbed.kubernetes.control_plane import Cluster
from testbed.pulumi.stack import PulumiStack
from tests.examples import SYSTEMS, Example
from tests.narrowing import present

LEADS = Example("leads-on-azure", None, SYSTEMS)

_REGISTERED = re.compile(r"`az provider register -n NAME`: (.+)\.")


def folder_of(example: Example, out: Path, text: str | None = None) -> Path:
    """Compile an example, or the spec in `text`, and return the folder of its only target."""
    outcome = example.compiled(text)
    assert not outcome.failed, outcome.diagnostics
    trees = [Tree(stack.environment, stack.target, stack_files(stack), "test") for stack in outcome.stacks]
    _, problems = write_trees(out, trees)
    assert problems == ()
    (tree,) = trees
    return out / tree.environment / tree.target


def cloud_for(folder: Path, target: Path, cluster: Cluster | None = None) -> Cloud:
    """Return a subscription with only the resource providers listed in a target's README."""
    matched = present(_REGISTERED.search((target / "README.md").read_text()))
    return Cloud(folder, matched[1].split(", "), cluster)


def choose_subscription(stack: PulumiStack) -> None:
    """Choose the subscription as described in the README."""
    stack.configure("azure-native:subscriptionId", SUBSCRIPTION)
