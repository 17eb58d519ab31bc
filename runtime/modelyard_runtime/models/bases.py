"""The base models of adapters, which are versions in the registry."""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from modelyard_runtime.models.loading import Models, expected_digest
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.formats import FORMAT_TAG, SAFETENSORS
from modelyard_runtime.registry.language_files import BASE_FILE
from modelyard_runtime.workload.records import Model, Workload


@dataclass(frozen=True, slots=True)
class Base:
    """A base model version, identified by its registered name, version number and file digest."""

    name: str
    version: str
    digest: str

    @property
    def uri(self) -> str:
        """Return the address of the version in the registry."""
        return f"models:/{self.name}/{self.version}"

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags with which an adapter's version names its base."""
        return {"modelyard.base": f"{self.name}/{self.version}", "modelyard.base.digest": self.digest}

    def write(self, folder: Path) -> None:
        """Record the base in an adapter's files, so that it's covered by the adapter's digest."""
        (folder / BASE_FILE).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Base:
        """Read the base recorded in an adapter's files."""
        try:
            recorded = json.loads((folder / BASE_FILE).read_text(encoding="utf-8"))
            return cls(str(recorded["name"]), str(recorded["version"]), str(recorded["digest"]))
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise Refusal(f"the adapter does not record its base model in {BASE_FILE}: {problem}") from None

    def check(self, other: Base) -> None:
        """Refuse any other base. Only digests are compared, as version numbers are just for display."""
        if other.digest != self.digest:
            raise Refusal(
                f"it was trained on version {self.version} of {self.name} ({self.digest}), "
                f"which is not version {other.version} of {other.name} ({other.digest or 'without a digest'}); "
                "train it again"
            )


def chosen_base(workload: Workload, model: Model) -> Base:
    """Return the version to which the base model's reference currently resolves."""
    if model.base is None:
        raise Refusal(f"model {model.name!r} names no base model; training needs one")
    version = Models(workload, model.base).version()
    if version is None:
        raise Refusal(f"the base model {model.base.uri} has no version yet")
    digest = expected_digest(workload, model.base, version)
    if not digest:
        raise Refusal(f"version {version.version} of {version.name} has no digest, so it cannot be a base model")
    return Base(version.name, version.version, digest)


@contextmanager
def base_files(base: Base) -> Generator[Path]:
    """Download a base model's files, refusing any other digest, and remove them on exit."""
    version = registry.version(base.name, base.version)
    if version.tags.get(FORMAT_TAG) != SAFETENSORS:
        raise Refusal(f"version {base.version} of {base.name} is not a whole language model, so it cannot be a base")
    base.check(Base(base.name, base.version, version.tags.get(DIGEST_TAG, "")))
    folder = registry.fetch(version, base.digest)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
