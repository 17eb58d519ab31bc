"""What people need to move a target's data, images and secrets manually: addresses, names and quotas, but no values."""

from __future__ import annotations

from modelyard.costs import Rate
from modelyard.records import record
from modelyard.spec import SecretRef


@record
class Remote:
    """An object store for rclone. `settings` are lines of rclone's configuration, without credentials."""

    store: str
    settings: tuple[tuple[str, str], ...]
    bucket: str  # or container
    uri: str  # the address that workloads use, such as s3://bucket
    adopted: bool
    credentials: SecretRef | None = None  # if access to the store requires a key


@record
class SecretPlace:
    """A Secret that workloads read, and the path from which it is synced."""

    store: str  # the secret store's name in the spec
    via: str  # how the cluster reads it: existing, external-secrets, or a service of the provider
    path: str  # in the secret store
    namespace: str
    name: str
    keys: tuple[str, ...]
    workloads: tuple[str, ...]


@record
class Quota:
    """A quota needed to run a system at its largest size. `code` is the provider's name for it, if known."""

    what: str
    code: str
    needed: int


@record
class Handover:
    """Everything on one target that people must move manually.

    `image` is the runtime image, which is built for each target; it is empty if no workload needs it. `images` are the
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
