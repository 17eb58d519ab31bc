"""Object storage drivers, which define object addresses and the environment variables Pods need for access."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from modelyard.hashing import sha256
from modelyard.manifest import env_from_secret
from modelyard.names import object_name
from modelyard.records import field, record
from modelyard.stack import Value

_LONGEST_BUCKET: Final = 63
_BUCKET_HASH: Final = 6

RemoteSettings: TypeAlias = tuple[tuple[str, str], ...]
"""Settings of a remote in rclone's configuration, in order."""


@record
class Key:
    """The names of a credential in the Secret, in the environment and in a description."""

    name: str
    variable: str
    field: str


@record
class Credentials:
    """A Secret with the credentials for a bucket. Key names are in the same order as the driver's keys."""

    secret: str
    keys: tuple[str, ...]


@record
class Opening:
    """How a Pod connects to a bucket. By default, it uses the cloud's endpoint and its own identity."""

    endpoint: str = ""
    region: str = ""
    credentials: Credentials | None = None


def hashed(name: str, owner: str) -> str:
    """Return a new bucket's name with a hash of its owner, since names are unique across all customers of a cloud."""
    digest = sha256(owner.encode()).hexdigest()[:_BUCKET_HASH]
    return f"{object_name(name, limit=_LONGEST_BUCKET - _BUCKET_HASH - 1)}-{digest}"


def local_folder(bucket: str, opening: Opening) -> RemoteSettings:
    """Return the settings for an rclone remote that is a folder on this machine."""
    return (("type", "local"),)


@record
class Driver:
    """A protocol for object storage.

    `client` returns the variables for libraries that use a single bucket, such as MLflow's artifact client. `server`
    does the same for the MLflow server, and `maker` for the Job that creates a bucket at an endpoint. `settings` are
    variables for every Pod that uses a bucket at an endpoint. `remote` returns the settings rclone uses to open a
    bucket, where `env_auth` makes rclone use the login of the provider's own command-line tool. `remote_login` names
    the options for logging in without that tool, in the same order as any `keys`.
    """

    scheme: str
    port: int  # port of buckets in a cloud
    keys: tuple[Key, ...]
    client: Callable[[Opening], list[Value]]
    server: Callable[[Opening], list[Value]]
    maker: Callable[[Opening], list[Value]]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    domain: str = ""  # accounts' domain; if set, URIs contain `bucket@account`
    named: Callable[[str, str], str] = hashed  # returns the name of a new bucket in the cloud from a name and its owner
    remote: Callable[[str, Opening], RemoteSettings] = local_folder
    remote_login: tuple[str, ...] = ()

    @property
    def example(self) -> str:
        """Return a placeholder bucket name in this protocol's format, for use in hints."""
        return "BUCKET@ACCOUNT" if self.domain else "BUCKET"

    def uri(self, bucket: str, path: str) -> str:
        """Return an object's URI, where `path` has no leading slash.

        Raises ValueError if the protocol requires an account and the bucket name doesn't include one.
        """
        if self.domain and "@" not in bucket:
            raise ValueError(f"{bucket} names no account")
        return f"{self.scheme}://{bucket}{self.domain}/{path}"

    def opens(self, uri: str) -> bool:
        """Return whether a URI is a complete address in the driver's protocol."""
        scheme, _, rest = uri.partition("://")
        bucket, at, host = rest.partition("/")[0].partition("@")
        if scheme != self.scheme or not bucket:
            return False
        return self._has_account(host) if self.domain else not at

    def _has_account(self, host: str) -> bool:
        """Return whether a host is an account under the service's domain (e.g. `.dfs.`) in any of its clouds."""
        service = f".{self.domain.split('.')[1]}."
        account, _, domain = host.partition(service)
        return bool(account and domain) and "@" not in host

    def secret(self, name: str) -> Credentials:
        """Return the credentials in a Secret with the usual key names."""
        return Credentials(name, tuple(key.name for key in self.keys))

    def key_variables(self, credentials: Credentials | None, prefix: str) -> Iterator[Value]:
        """Yield the credentials as prefixed variables, or nothing if access is granted to the Pod's identity."""
        if credentials is not None:
            for key, name in zip(self.keys, credentials.keys, strict=True):
                yield env_from_secret(f"{prefix}{key.variable}", credentials.secret, name)
