"""Pulumi's resource provider for a simulated cloud on loopback."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Generator
from concurrent import futures
from contextlib import contextmanager
from typing import Any, Generic

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from testbed.clouds.shared.lifecycle import Lifecycle, Unfinished
from testbed.clouds.shared.record import CloudApi
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stand_in import StandIn
from testbed.clouds.shared.values import from_struct, to_struct

_LARGEST_MESSAGE = 400 << 20  # the engine's own limit


class Provider(provider_pb2_grpc.ResourceProviderServicer, Generic[CloudApi]):
    """The protocol's calls, implemented by `Lifecycle`.

    The provider declares no support for secrets or outputs, so the engine itself marks outputs of secret inputs as
    secret.
    """

    def __init__(self, stand_in: StandIn[CloudApi], lifecycle: Lifecycle[CloudApi]) -> None:
        self._stand_in = stand_in
        self._lifecycle = lifecycle

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._stand_in.version)

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        changed = from_struct(request.news) != from_struct(request.old_inputs)
        kind = provider_pb2.DiffResponse
        return kind(changes=kind.DIFF_SOME if changed else kind.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        with _answering(context):
            self._lifecycle.configure(from_struct(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        kind, name = _type_and_name(request.urn)
        with _answering(context):
            inputs, failures = self._lifecycle.check(
                kind, name, from_struct(request.olds), from_struct(request.news), request.randomSeed
            )
        return provider_pb2.CheckResponse(
            inputs=to_struct(inputs),
            failures=[provider_pb2.CheckFailure(property="", reason=reason) for reason in failures],
        )

    def Diff(self, request: Any, context: Any) -> Any:
        kind, _ = _type_and_name(request.urn)
        with _answering(context):
            diffs, replaces, first = self._lifecycle.diff(
                kind, from_struct(request.old_inputs), from_struct(request.olds), from_struct(request.news)
            )
        answer = provider_pb2.DiffResponse
        return answer(
            changes=answer.DIFF_SOME if diffs else answer.DIFF_NONE,
            diffs=diffs,
            replaces=replaces,
            deleteBeforeReplace=first,
        )

    def Create(self, request: Any, context: Any) -> Any:
        kind, _ = _type_and_name(request.urn)
        inputs = from_struct(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(id="", properties=to_struct(self._lifecycle.previewed(kind, inputs)))
        with _answering(context):
            resource_id, state = self._lifecycle.create(kind, inputs)
        return provider_pb2.CreateResponse(id=resource_id, properties=to_struct(state))

    def Read(self, request: Any, context: Any) -> Any:
        kind, _ = _type_and_name(request.urn)
        with _answering(context):
            result = self._lifecycle.read(
                kind, request.id, from_struct(request.properties), from_struct(request.inputs)
            )
        if result is None:
            return provider_pb2.ReadResponse()
        state, inputs = result
        return provider_pb2.ReadResponse(id=request.id, properties=to_struct(state), inputs=to_struct(inputs))

    def Update(self, request: Any, context: Any) -> Any:
        kind, _ = _type_and_name(request.urn)
        olds, news = from_struct(request.olds), from_struct(request.news)
        with _answering(context):
            if request.preview:
                state = self._lifecycle.promised_update(kind, olds, news)
            else:
                state = self._lifecycle.update(kind, request.id, olds, news)
        return provider_pb2.UpdateResponse(properties=to_struct(state))

    def Delete(self, request: Any, context: Any) -> Any:
        kind, _ = _type_and_name(request.urn)
        with _answering(context):
            self._lifecycle.delete(kind, request.id, from_struct(request.properties))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        with _answering(context):
            invoke = self._stand_in.invokes.get(request.tok)
            if invoke is None:
                raise Refused("Unimplemented", f"the stand-in has no function {request.tok}")
            arguments = from_struct(request.args)
            answer = invoke(self._lifecycle.api(str(arguments.get("region") or "")), arguments)
        response = provider_pb2.InvokeResponse()
        getattr(response, "return").CopyFrom(to_struct(answer))  # a Python keyword
        return response

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


@contextmanager
def _answering(context: Any) -> Generator[None]:
    """Convert exceptions to protocol errors, including the state of resources created or changed nonetheless."""
    try:
        yield
    except Unfinished as error:
        detail = any_pb2.Any()
        detail.Pack(
            provider_pb2.ErrorResourceInitFailed(
                id=error.id, properties=to_struct(error.state), inputs=to_struct(error.inputs), reasons=[str(error)]
            )
        )
        code: int = grpc.StatusCode.UNKNOWN.value[0]
        status = status_pb2.Status(code=code, message=str(error), details=[detail])
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except Refused as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))
    except Exception:  # noqa: BLE001 - a bug in the stand-in: the test needs the traceback
        context.abort(grpc.StatusCode.INTERNAL, f"the stand-in is wrong:\n{traceback.format_exc()}")


def _type_and_name(urn: str) -> tuple[str, str]:
    """Return the type and the logical name in a URN."""
    _, _, kinds, name = urn.split("::", 3)
    return kinds.rpartition("$")[2], name


def serve(stand_in: StandIn[CloudApi], lifecycle: Lifecycle[CloudApi]) -> None:
    """Print the port, as the engine expects from plug-ins, and serve until the process is stopped."""
    server = grpc.server(
        futures.ThreadPoolExecutor(32),
        options=[
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            ("grpc.max_send_message_length", _LARGEST_MESSAGE),
        ],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(stand_in, lifecycle), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, file=sys.stdout, flush=True)
    threading.Event().wait()
