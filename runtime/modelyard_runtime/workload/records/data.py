"""Stores, and the datasets and folders in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from modelyard_runtime.workload.decode import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Store(Record):
    """An object store that the workload may access, with the credentials required by its protocol."""

    uri: str
    endpoint: str = ""
    region: str = ""
    access_key_id_env: str = ""
    secret_access_key_env: str = ""
    account_key_env: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves(Record):
    """A target whose sites get a version in waves, with each wave's pointer to its active bundle."""

    target: str
    pointers: tuple[str, ...]
    soak_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Location(Record):
    """A folder in an object store."""

    uri: str
    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Record):
    """A folder for delivered bundles, and the targets whose sites get them in waves."""

    uri: str
    store: str
    waves: tuple[Waves, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset(Record):
    """A dataset, with its location, its format, and the roles of its columns."""

    uri: str
    format: str
    store: str = ""
    description: str = ""
    schema: Mapping[str, str] = field(default_factory=dict[str, str])
    features: tuple[str, ...] = ()
    label: str = ""
    timestamp: str = ""
    group: str = ""
    delay_seconds: int = 0
    classification: str = ""
