"""Tests that `modelyard diff` predicts Pulumi's changes to objects for all pairs in tests/reviews.

The engine's behavior depends on an object's kind and on which fields differ, so objects that differ in the same fields
share one example across all pairs. Each example gets its own namespace, and a single preview covers them all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from modelyard.inputs import InputFile
from modelyard.program import Ref
from modelyard.records import replace
from modelyard.review.effects import Effect, consequences, differing
from modelyard.review.lowered import Item, Key, lowered
from modelyard.review.previews import read_previews
from modelyard.stack import Value
from modelyard.writers.yaml_text import documents
from modelyard_targets import TARGETS
from testbed.kubernetes.control_plane import Cluster
from testbed.kubernetes.kubectl import Kubectl, as_list
from testbed.pulumi.hosted import host
from testbed.pulumi.stack import PulumiStack
from tests.narrowing import present
from tests.real.test_in_place import PROGRAM
from tests.stacks.programs import project
from tests.test_reviews import PAIRS, outcomes_of

Object: TypeAlias = dict[str, Any]

_SHOWN: Final = {
    Effect.IN_PLACE: Effect.IN_PLACE,
    Effect.ROLLING: Effect.IN_PLACE,  # by a controller or an operator, without the engine's knowledge
    Effect.REPLACED: Effect.REPLACED,
    Effect.DESTROYED: Effect.DESTROYED,
}
"""The operation that a preview shows for each effect that `modelyard diff` predicts."""

_NO_WAITING: Final = {"pulumi.com/skipAwait": "true"}
"""The annotation that makes Pulumi not wait for Pods, because none start here. It does not affect previews."""


def changes() -> dict[str, tuple[Key, Item, Item, str]]:
    """Return one example of each change in all pairs, by kind and changed fields.

    An example has both versions of an object, and the name of the pair that it is from.
    """
    examples: dict[str, tuple[Key, Item, Item, str]] = {}
    for file in PAIRS:
        before, after = outcomes_of(file)
        if before.failed or after.failed:
            continue
        plans = [present(outcome.plan) for outcome in (before, after)]
        for target in {spec.name for plan in plans for spec in plan.system.deployment.targets}:
            old, new = (lowered(plan, target, TARGETS) for plan in plans)
            for key, item in new.items():
                paths = sorted(set(differing(old[key].values, item.values))) if key in old and "/" in item.kind else ()
                if paths:
                    was, now = replace(old[key], needs={}), replace(item, needs={})
                    examples.setdefault(f"{item.kind} {' '.join(paths)}", (key, was, now, file.stem))
    return examples


def moved(item: Item, namespace: str) -> Object:
    """Return a copy of an object in the given namespace, or renamed if the object is cluster-scoped.

    Outputs of the infrastructure are replaced with their names, as the program replaces them with their values.
    """
    copied = cast("Object", json.loads(json.dumps(item.values, default=_key)))
    metadata = copied["metadata"]
    if "namespace" in metadata:
        metadata["namespace"] = namespace
    else:
        metadata["name"] = f"{namespace}-{metadata['name']}"
    metadata["annotations"] = {**metadata.get("annotations", {}), **_NO_WAITING}
    return copied


def _key(output: Ref) -> str:
    return str(output.key)


def written(folder: Path, objects: list[Object]) -> Path:
    """Write a Pulumi project that applies the given objects."""
    folder.mkdir(parents=True)
    project(folder, PROGRAM, [("server.yaml", documents(cast("list[Value]", objects)))], "context: bench")
    (folder / "requirements.txt").write_text("pulumi==3.272.0\npulumi-kubernetes==4.34.2\nPyYAML==6.0.4\n")
    return folder


def name_of(manifest: Object) -> str:
    """Return the name that an object has in a stack."""
    metadata = manifest["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def effects_of(preview: str) -> Iterator[tuple[str, Effect]]:
    """Yield the name and effect of each object in a preview."""
    (read,), problems = read_previews([InputFile("preview.json", preview)])
    assert (problems, read.errors) == ((), ())
    for step in read.steps:
        yield step.urn.name, step.effect


@contextmanager
def spaces(kubectl: Kubectl, objects: list[Object]) -> Generator[None]:
    """Create a namespace for each object; on exit, delete the namespaces and the cluster-scoped objects."""
    namespaces: list[Object] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"effects-{at}"}} for at in range(len(objects))
    ]
    cluster_wide = [obj for obj in objects if "namespace" not in obj["metadata"]]
    kubectl.apply(namespaces)
    try:
        yield
    finally:
        kubectl.run(
            "delete", "--filename=-", "--ignore-not-found", "--wait=false", stdin=as_list([*cluster_wide, *namespaces])
        )


def test_the_engine_does_what_diff_says(
    tmp_path: Path, control_plane: Cluster, pulumi_stack: Callable[..., PulumiStack]
) -> None:
    """The API server accepts all examples, and the preview shows the predicted effect for each."""
    tables = TARGETS["aws"].effects()
    examples = changes()
    expected: dict[str, tuple[Effect, str]] = {}
    old, new = list[Object](), list[Object]()
    for at, (fields, (key, before, after, pair)) in enumerate(sorted(examples.items())):
        (consequence,) = consequences({key: before}, {key: after}, tables)
        old.append(moved(before, f"effects-{at}"))
        new.append(moved(after, f"effects-{at}"))
        expected[name_of(new[-1])] = (_SHOWN[consequence.effect], f"{pair}: {fields}")
    stack = pulumi_stack(written(tmp_path / "old", old), "prod")
    stack.configure("kubeconfig", control_plane.kubeconfig.read_text(), secret=True)
    stack.configure("protect", "false")

    with spaces(control_plane.kubectl, old), host(stack.python) as runs:
        runs.up(stack)
        stack.replace(written(tmp_path / "new", new))
        effects = dict(effects_of(runs.preview(stack)))

    assert len(expected) > 90
    differ = {
        why: (effect.value, effects.get(name))
        for name, (effect, why) in expected.items()
        if effects.get(name) is not effect
    }
    assert differ == {}
    assert effects.keys() == expected.keys()
