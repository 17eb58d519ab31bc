"""What people need to move a target's data, images and secrets by hand: addresses, names and quotas.

It contains no secret values.
"""

from __future__ import annotations

from typing import Final

from modelyard.costs import Rate
from modelyard.records import record
from modelyard.spec import SecretRef


@record
class RemoteKey:
    """An rclone option whose value is in a Secret, in the namespace of the store's target."""

    option: str  # for example access_key_id
    secret: str
    key: str


@record
class Remote:
    """An object store for rclone. `settings` holds lines of rclone's configuration, without credentials.

    `login` names the options a person can log in with on a machine whose identity has no access. `keys` lists the
    options that workloads on the store's target read from a Secret.
    """

    store: str
    settings: tuple[tuple[str, str], ...]
    bucket: str  # or container
    uri: str  # the address that workloads use, such as s3://bucket
    adopted: bool
    credentials: SecretRef | None = None  # if access to the store requires a key
    login: tuple[str, ...] = ()
    keys: tuple[RemoteKey, ...] = ()


@record
class CopyJob:
    """A Job that runs rclone in a cluster.

    Each command is a list of rclone arguments and runs in its own container. `variables` lists environment variables
    for rclone options whose values are in Secrets in the namespace, each as variable, Secret and key. `endpoints` holds
    the URLs of stores that have their own endpoint; an empty URL stands for a cloud's API.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    config: str  # the text of rclone.conf
    variables: tuple[tuple[str, str, str], ...]
    endpoints: tuple[str, ...]
    retries: int


COPY_ACCOUNT: Final = "modelyard-migration"
"""The ServiceAccount for copy Jobs, and the name of the ConfigMap and the Secret that they read."""

COPY_COMPONENT: Final = "migration"
"""The component label of all Kubernetes objects that copy Jobs need."""


@record
class SecretCommands:
    """Shell commands for a secret in the provider's secrets service, whose value is a single JSON object.

    `read` prints the value. `make` creates the secret without a value if it doesn't exist. `write` stores its standard
    input as the value and doesn't print it. `output` names an output of the infrastructure project, which the commands
    use as a variable of the same name.
    """

    read: str
    write: str
    make: str = ""
    output: str = ""


@record
class SecretPlace:
    """A Secret that workloads read, and the path it is synced from."""

    store: str  # the secret store's name in the spec
    via: str  # how the cluster reads it: existing, external-secrets, or a service of the provider
    path: str  # in the secret store
    namespace: str
    name: str
    keys: tuple[str, ...]
    workloads: tuple[str, ...]
    stored_as: str = ""  # its name in the provider's own service
    commands: SecretCommands | None = None  # for the provider's own service
    kind: str = "Opaque"  # the type of the Kubernetes Secret


@record
class Quota:
    """A quota needed to run a system at its largest size. `code` is the provider's name for the quota, if known."""

    what: str
    code: str
    needed: int


@record
class Handover:
    """Everything on one target that people must move by hand.

    `image` is the runtime image, which is built for each target; it is empty if no workload needs it. `images` pairs
    the public name of each other image with the name under which the target pulls it. `copier` is the same pair for the
    image that contains rclone. `identity` says how copy Jobs get a cloud identity. `egress` is the price per gigabyte
    of data leaving the cloud.
    """

    namespace: str = ""
    remotes: tuple[Remote, ...] = ()
    secrets: tuple[SecretPlace, ...] = ()
    image: str = ""
    images: tuple[tuple[str, str], ...] = ()
    copier: tuple[str, str] = ("", "")
    identity: str = ""
    quotas: tuple[Quota, ...] = ()
    egress: Rate | None = None


NO_HANDOVER = Handover()
"""A target from which nothing has to be moved."""
