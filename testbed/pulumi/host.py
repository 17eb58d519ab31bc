"""Serves programs to the engine. One process runs many programs, so the SDK is imported only once.

python host.py

`testbed.pulumi.hosted` starts it by path. This module imports only the Pulumi SDK so that it can run in the program's
own environment. The process prints its port, and exits when its input ends. `pulumi preview --client=127.0.0.1:PORT`
runs the program in the engine's working folder.
"""

from __future__ import annotations

import os
import runpy
import sys
from concurrent import futures
from typing import Any

import grpc
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2_grpc


class Host(LanguageServer):
    """Runs the program in a request's folder as if nothing had run before."""

    def __init__(self) -> None:
        super().__init__(_program)

    def Run(self, request: Any, context: Any) -> Any:
        os.chdir(request.pwd)
        sys.path[0] = request.pwd
        return super().Run(request, context)  # type: ignore[no-untyped-call] # the SDK has no types there


def _program() -> None:
    """Run the program, importing modules again if they belong to another program or another version of it."""
    installed = (sys.prefix, sys.base_prefix)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name != "__main__" and file and not file.startswith(installed):
            del sys.modules[name]
    runpy.run_path("__main__.py", run_name="__main__")


def main() -> None:
    """Serve until the input ends."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0)


if __name__ == "__main__":
    main()
