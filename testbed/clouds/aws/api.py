"""The cloud's API. Calls are validated against botocore's models before moto or the stand-in handles them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from testbed.clouds.aws.models import faults
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.store import Store
from testbed.clouds.shared.values import Values

ENDPOINT = "MODELYARD_AWS_ENDPOINT"
"""The environment variable with the address of moto's server."""

FOLDER = "MODELYARD_AWS_FOLDER"
"""The environment variable with the folder for the state that moto lacks and for orders from tests."""


class Api:
    """One account's API in one region. Calls run one at a time, as moto's server isn't thread-safe."""

    def __init__(self, region: str, store: Store, own: Mapping[tuple[str, str], Own] | None = None) -> None:
        self.region = region
        self.store = store
        self._own = dict(own or {})
        self._session = botocore.session.Session()
        self._clients: dict[str, Any] = {}
        self._lock = threading.RLock()
        self.account = str(self.call("sts", "get_caller_identity")["Account"])

    @classmethod
    def from_environment(cls, region: str, own: Mapping[tuple[str, str], Own]) -> Api:
        """Return the API whose address is in the environment."""
        return cls(region, Store(Path(os.environ[FOLDER]) / "store.json"), own)

    def call(self, service: str, operation: str, /, **parameters: Any) -> Values:
        """Make a call, omitting parameters that are None. Raises Refused if the API rejects it."""
        arguments = {name: value for name, value in parameters.items() if value is not None}
        with self._lock:
            client = self._client(service)
            model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
            if errors := faults(model.input_shape, arguments):
                raise Refused("ValidationException", f"{model.name}: {'; '.join(errors)}")
            answer = self._own.get((service, operation))
            return answer(self, arguments) if answer else self.moto(service, operation, arguments)

    def moto(self, service: str, operation: str, request: Values) -> Values:
        """Call moto and return its response."""
        with self._lock:
            try:
                response: Values = getattr(self._client(service), operation)(**request)
            except ClientError as error:
                problem = error.response.get("Error", {})
                raise Refused(str(problem.get("Code", "Unknown")), str(problem.get("Message", error))) from error
            except BotoCoreError as error:
                raise Refused("ValidationException", f"{operation}: {error}") from error
        return response

    def arn(self, service: str, rest: str, *, everywhere: bool = False) -> str:
        """Return an ARN in this account, without a region if `everywhere` is set."""
        return f"arn:aws:{service}:{'' if everywhere else self.region}:{self.account}:{rest}"

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.create_client(
                service,
                region_name=self.region,
                endpoint_url=os.environ[ENDPOINT],
                aws_access_key_id="loopback",
                aws_secret_access_key="loopback",
                config=Config(read_timeout=300, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self._clients[service]


Own = Callable[[Api, Values], Values]
"""A call that the stand-in handles itself because moto does not implement it."""
