"""Finds examples for tests, their targets' providers, and which examples have golden folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from modelyard.load import load
from modelyard.pipeline import InputFile, Inputs, Outcome, compile_system, understand
from modelyard.spec import System, TargetSpec
from modelyard_targets import TARGETS

FOLDER = Path(__file__).resolve().parent.parent / "examples"
SYSTEMS = Path(__file__).resolve().parent / "systems"
"""The folder of test specs whose output is stored and compared, like that of the examples."""

SEVERAL_CLOUDS = ("three-clouds", "plant-and-google", "plant-and-azure")
"""Test specs with workloads that use stores in other clouds with the workloads' own identity."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example in one environment or, if `environment` is None, its base."""

    name: str
    environment: str | None
    root: Path = FOLDER

    def __str__(self) -> str:
        return f"{self.name}-{self.environment or 'default'}"

    @property
    def stack(self) -> str:
        """Return the environment's name as used for folders and stacks."""
        return self.environment or "default"

    def inputs(self, text: str | None = None) -> Inputs:
        """Return the compiler input for the example. `text` replaces the spec on disk."""
        folder = self.root / self.name
        overlay_path = folder / "environments" / f"{self.environment}.yaml"
        overlay = InputFile(str(overlay_path), overlay_path.read_bytes()) if overlay_path.is_file() else None
        spec = (folder / "system.yaml").read_bytes() if text is None else text
        tables: dict[str, InputFile | str] = {
            file.name: InputFile(f"{self.name}/{file.name}", file.read_bytes()) for file in folder.glob("*.csv")
        }
        return Inputs(InputFile(f"{self.name}/system.yaml", spec), self.environment, overlay, tables=tables)

    def compiled(self, text: str | None = None) -> Outcome:
        """Compile the example through all stages."""
        return compile_system(self.inputs(text), TARGETS)


def every_example() -> Iterator[Example]:
    """Yield every example in each of its environments, after its base."""
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
    """Return the examples whose targets are all Kubernetes clusters."""
    return tuple(example for example in every_example() if providers_of(example) == frozenset({"kubernetes"}))


@lru_cache(maxsize=1)
def on_aws() -> tuple[Example, ...]:
    """Return the examples running on AWS, either alone or together with Kubernetes clusters."""
    placed = ((example, providers_of(example)) for example in every_example())
    return tuple(example for example, providers in placed if "aws" in providers and providers <= {"aws", "kubernetes"})


@lru_cache(maxsize=1)
def on_google_cloud() -> tuple[Example, ...]:
    """Return the examples that run on Google Cloud."""
    return tuple(example for example in every_example() if "gcp" in providers_of(example))


@lru_cache(maxsize=1)
def on_azure() -> tuple[Example, ...]:
    """Return the examples that run on Azure."""
    return tuple(example for example in every_example() if "azure" in providers_of(example))


@lru_cache(maxsize=1)
def on_clouds() -> tuple[Example, ...]:
    """Return two systems, one of them hybrid, that use some cloud resources created by modelyard."""
    return tuple(Example(name, None, SYSTEMS) for name in ("hybrid", "leads"))


@lru_cache(maxsize=1)
def on_existing() -> tuple[Example, ...]:
    """Return a system on an existing cluster in each cloud, and one with its own node pools in such a cluster."""
    return tuple(Example("tenant", environment, SYSTEMS) for environment in (None, "gke", "aks", "pools"))


@lru_cache(maxsize=1)
def golden_examples() -> tuple[Example, ...]:
    """Return the examples that have a golden folder, which only include one hybrid and one other example on AWS."""
    shapes = {"hello-aws", "fraud-detection-default"}
    systems = (
        Example(name, None, SYSTEMS)
        for name in ("leads", "leads-on-google", "leads-on-azure", "tills", *SEVERAL_CLOUDS)
    )
    return (
        *on_clusters(),
        *(example for example in on_aws() if str(example) in shapes),
        *systems,
        *on_existing(),
        *on_this_machine(),
    )


def of_sites() -> Example:
    """Return the system in tests/systems whose target stands for many sites. It also has a golden folder."""
    return Example("shelf", None, SYSTEMS)


@lru_cache(maxsize=1)
def on_this_machine() -> tuple[Example, ...]:
    """Return the examples whose only target is this machine, and one such system from tests/systems."""
    examples = (example for example in every_example() if providers_of(example) == frozenset({"local"}))
    return (*examples, Example("laptop", None, SYSTEMS))


def one_each() -> tuple[Example, ...]:
    """Return only the last environment of each example on clusters, which is usually the largest."""
    return tuple({example.name: example for example in on_clusters()}.values())


@cache
def providers_of(example: Example) -> frozenset[str]:
    """Return the providers of an example's targets."""
    system = understand(example.inputs(), TARGETS).system
    return frozenset() if system is None else frozenset(target.provider for target in system.deployment.targets)


def no_hash(system: System, target: TargetSpec) -> str:
    """Return a fixed hash of the runtime image, so that comparisons don't depend on the runtime's code."""
    return "0" * 12
