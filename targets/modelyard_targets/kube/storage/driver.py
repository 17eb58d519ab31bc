"""What a protocol of object storage defines: how objects are addressed, and what Pods need to open them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from modelyard.manifest import env_from_secret
from modelyard.records import field, record
from modelyard.stack import Value


@record
class Key:
    """One key of a Secret that opens a bucket: in the Secret, as a variable, and where a description names that."""

    name: str
    variable: str
    field: str


@record
class Credentials:
    """A Secret that opens a bucket, with the names of its keys in the order of the driver's."""

    secret: str
    keys: tuple[str, ...]


@record
class Opening:
    """How a Pod opens a bucket: at the endpoint, else at its cloud's; with credentials, else with its identity."""

    endpoint: str = ""
    region: str = ""
    credentials: Credentials | None = None


@record
class Driver:
    """One protocol of object storage.

    `client` are the variables by which a library opens a bucket that is the only one it knows, such as MLflow its
    artifacts; `server` are those of MLflow's server; `maker` those of the Job that makes a bucket at an endpoint.
    `settings` are needed by every Pod that opens a bucket at an endpoint of its own.
    """

    scheme: str
    port: int  # where a cloud's buckets answer
    keys: tuple[Key, ...]
    client: Callable[[Opening], list[Value]]
    server: Callable[[Opening], list[Value]]
    maker: Callable[[Opening], list[Value]]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    domain: str = ""  # of accounts: buckets are then written `bucket@account`

    @property
    def example(self) -> str:
        """A bucket in the words of a hint."""
        return "BUCKET@ACCOUNT" if self.domain else "BUCKET"

    def uri(self, bucket: str, path: str) -> str:
        """Where an object is; `path` begins with no slash. Raises ValueError for a bucket that needs an account."""
        if self.domain and "@" not in bucket:
            raise ValueError(f"{bucket} names no account")
        return f"{self.scheme}://{bucket}{self.domain}/{path}"

    def opens(self, uri: str) -> bool:
        """Whether an address is one of this protocol, whole enough to be opened."""
        scheme, _, rest = uri.partition("://")
        bucket, at, host = rest.partition("/")[0].partition("@")
        if scheme != self.scheme or not bucket:
            return False
        return self._has_account(host) if self.domain else not at

    def _has_account(self, host: str) -> bool:
        """Whether a host is an account and the service's domain, such as `.dfs.`, in any cloud of the provider."""
        service = f".{self.domain.split('.')[1]}."
        account, _, domain = host.partition(service)
        return bool(account and domain) and "@" not in host

    def secret(self, name: str) -> Credentials:
        """A Secret with the keys as they are usually called."""
        return Credentials(name, tuple(key.name for key in self.keys))

    def key_variables(self, credentials: Credentials | None, prefix: str) -> Iterator[Value]:
        """The keys as variables with a prefix; nothing where the Pod's identity opens the bucket."""
        if credentials is not None:
            for key, name in zip(self.keys, credentials.keys, strict=True):
                yield env_from_secret(f"{prefix}{key.variable}", credentials.secret, name)
