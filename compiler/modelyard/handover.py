"""What people need to move a target's data, images and secrets by hand: addresses, names and quotas, but no values."""

from __future__ import annotations

from modelyard.costs import Rate
from modelyard.records import record
from modelyard.spec import SecretRef


@record
class Remote:
    """An object store for rclone. `settings` are the lines of rclone's configuration, without credentials."""

    store: str
    settings: tuple[tuple[str, str], ...]
    bucket: str  # or container
    uri: str  # how workloads address it, such as s3://bucket
    adopted: bool
    credentials: SecretRef | None = None  # if a key opens the store


@record
class SecretPlace:
    """A Secret that workloads read, and the path that it is synced from."""

    store: str  # the secret store's name in the spec
    via: str  # how the cluster reads it: existing, external-secrets, or a service of the provider
    path: str  # in that store
    namespace: str
    name: str
    keys: tuple[str, ...]
    workloads: tuple[str, ...]


@record
class Quota:
    """A quota that the largest size of a system needs. The code is the provider's name for it, if known."""

    what: str
    code: str
    needed: int


@record
class Handover:
    """Everything on one target that people move by hand.

    `image` is the runtime image, which is built for each target, and empty if no workload needs it. `images` are the
    public names of all other images, each with the name under which the target pulls it. `egress` is the price of a
    gigabyte that leaves the cloud.
    """

    namespace: str = ""
    remotes: tuple[Remote, ...] = ()
    secrets: tuple[SecretPlace, ...] = ()
    image: str = ""
    images: tuple[tuple[str, str], ...] = ()
    quotas: tuple[Quota, ...] = ()
    egress: Rate | None = None


NO_HANDOVER = Handover()
"""A target with nothing to move."""
