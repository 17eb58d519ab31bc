"""The examples as tests see them: which there are, where their environments run, and of which all is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from modelyard.load import load
from modelyard.pipeline import Given, Inputs, Outcome, compile_system, understand
from modelyard_targets import TARGETS

FOLDER = Path(__file__).resolve().parent.parent / "examples"
SYSTEMS = Path(__file__).resolve().parent / "systems"
"""Specs of tests that are treated like examples: what comes out of them is kept and compared."""


@dataclass(frozen=True, slots=True)
class Example:
    """One environment of one example; None is the base alone."""

    name: str
    environment: str | None
    root: Path = FOLDER

    def __str__(self) -> str:
        return f"{self.name}-{self.environment or 'default'}"

    @property
    def stack(self) -> str:
        """The environment as folders and stacks are called after it."""
        return self.environment or "default"

    def inputs(self, text: str | None = None) -> Inputs:
        """What a compile of it reads; text stands for another spec than the one on disk."""
        folder = self.root / self.name
        beside = folder / "environments" / f"{self.environment}.yaml"
        overlay = Given(str(beside), beside.read_bytes()) if beside.is_file() else None
        spec = (folder / "system.yaml").read_bytes() if text is None else text
        return Inputs(Given(f"{self.name}/system.yaml", spec), self.environment, overlay)

    def compiled(self, text: str | None = None) -> Outcome:
        """Through all stages."""
        return compile_system(self.inputs(text), TARGETS)


def every_example() -> Iterator[Example]:
    """All environments of all examples, the base alone first."""
    for spec in sorted(FOLDER.glob("*/system.yaml")):
        document, problems = load(spec.read_bytes(), str(spec))
        assert document is not None, problems
        inside = document.value.get("environments")
        names = set(inside) if isinstance(inside, dict) else set[str]()
        names |= {path.stem for path in spec.parent.glob("environments/*.yaml")}
        for environment in (None, *sorted(names)):
            yield Example(spec.parent.name, environment)


@lru_cache(maxsize=1)
def on_clusters() -> tuple[Example, ...]:
    """Those whose targets are Kubernetes clusters."""
    return tuple(example for example in every_example() if providers_of(example) == {"kubernetes"})


@lru_cache(maxsize=1)
def on_aws() -> tuple[Example, ...]:
    """Those of which a part runs on AWS, and all of it on what is emitted for."""
    placed = ((example, providers_of(example)) for example in every_example())
    return tuple(example for example, providers in placed if "aws" in providers and providers <= {"aws", "kubernetes"})


@lru_cache(maxsize=1)
def on_clouds() -> tuple[Example, ...]:
    """Systems of which a part runs on a cloud that is made for them, one of each shape."""
    return tuple(Example(name, None, SYSTEMS) for name in ("hybrid", "leads"))


@lru_cache(maxsize=1)
def kept() -> tuple[Example, ...]:
    """Those of which everything that comes out is kept: AWS by one system of each shape."""
    shapes = {"hello-aws", "fraud-detection-default"}
    systems = (Example(name, None, SYSTEMS) for name in ("leads", "tills"))
    return (*on_clusters(), *(one for one in on_aws() if str(one) in shapes), *systems)


def one_each() -> tuple[Example, ...]:
    """The same, the last environment of each example: the largest where there are several."""
    return tuple({example.name: example for example in on_clusters()}.values())


def providers_of(example: Example) -> set[str]:
    """The providers of its targets."""
    system = understand(example.inputs(), TARGETS).system
    return set() if system is None else {target.provider for target in system.deployment.targets}
