"""A language plugin for Python, so that the plain commands `pulumi up`, `preview` and `destroy` run programs.

language.py [OPTIONS] ENGINE

`plugins/pulumi-language-python` starts it with the interpreter of the project's environment. Pulumi's own plugin is a
Go module that the module proxy does not serve. Like that plugin, this one runs a program in the environment that
Pulumi.yaml names, and fails in any other. The SDK does the rest, as it does for inline programs of the Automation API.
The process prints its port, and runs until the engine ends it.
"""

from __future__ import annotations

import os
import runpy
import sys
from concurrent import futures
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2, language_pb2_grpc


class Language(LanguageServer):
    """Runs the program in the folder named by a request, using a new process for each operation."""

    def __init__(self, engine: str) -> None:
        super().__init__(_program)
        self._engine = engine

    def Handshake(self, request: Any, context: Any) -> Any:
        """Accept the engine."""
        return language_pb2.LanguageHandshakeResponse()

    def Run(self, request: Any, context: Any) -> Any:
        """Run the program. The SDK expects the engine's address as the first argument."""
        named = dict(request.info.options).get("virtualenv", "")
        expected = (Path(request.info.root_directory) / str(named)).resolve()
        if not named or Path(sys.prefix).resolve() != expected:
            return language_pb2.RunResponse(error=f"Pulumi.yaml names the environment {named!r}, not {sys.prefix}")
        os.chdir(request.pwd)
        sys.path[0] = request.pwd
        request.args.insert(0, self._engine)
        return super().Run(request, context)  # type: ignore[no-untyped-call] # the SDK has no types there

    def Cancel(self, request: Any, context: Any) -> Any:
        """Do nothing: the engine ends this process."""
        return empty_pb2.Empty()


def _program() -> None:
    runpy.run_path("__main__.py", run_name="__main__")


def main() -> None:
    """Serve until the engine ends this process."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Language(sys.argv[-1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    with suppress(KeyboardInterrupt):  # from the engine, after the operation
        server.wait_for_termination()


if __name__ == "__main__":
    main()
