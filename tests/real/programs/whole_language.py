"""Imports a tiny language model, serves it on a real Ray Serve, and asks it with OpenAI's client.

It prints what happened as JSON in its last line.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import openai
import ray
from ray import serve

from modelyard_runtime.serving.application import application
from modelyard_runtime.workload.records import ServerWorkload
from tests.runtime.described import completed
from tests.runtime.serving.language import HELLO, TOKEN, described, imported
from tests.runtime.tiny_model import tiny_model

ROOT = Path(sys.argv[1])
FACTS: dict[str, Any] = {}


def main() -> None:
    """Run the scenario."""
    os.chdir(ROOT)
    imported(ROOT, tiny_model(ROOT / "chat"))
    (ROOT / "token").write_text(TOKEN)
    (ROOT / "workload.json").write_text(json.dumps(completed(ServerWorkload, described(ROOT))))
    os.environ["MODELYARD_WORKLOAD"] = str(ROOT / "workload.json")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    workers = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=workers)
    serve.start(http_options={"host": "127.0.0.1", "port": port}, proxy_location="HeadOnly")
    serve.run(application({"application": "assistant-live"}), name="assistant-live", route_prefix="/support")
    ask(f"http://127.0.0.1:{port}/support")
    serve.shutdown()
    ray.shutdown()
    print(json.dumps(FACTS))


def ask(address: str) -> None:
    """Ask for texts, whole, streamed, wrongly and without patience."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0, timeout=120)
    fields: dict[str, Any] = {"model": "assistant", "messages": HELLO, "max_tokens": 12, "temperature": 0}
    FACTS["models"] = [model.id for model in client.models.list()]
    whole = client.chat.completions.create(**fields).choices[0].message.content
    chunks = list(client.chat.completions.create(**fields, stream=True))
    FACTS["pieces"] = len(chunks) > 3
    FACTS["same text"] = "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    FACTS["refused"] = [status(client, **wrong) for wrong in ({"model": "gpt-4o"}, {"n": 2}, {"stream": True, "n": 2})]
    FACTS["wrong token"] = status(client.with_options(api_key="another"))
    abandoned: Any = client.chat.completions.create(**{**fields, "max_tokens": 64, "stream": True})
    next(iter(abandoned))
    abandoned.close()
    time.sleep(1)
    with urllib.request.urlopen(f"{address}/healthz", timeout=60) as found:
        FACTS["health"] = json.load(found)


def status(client: openai.OpenAI, **fields: Any) -> int:
    """Return the status of a request that should be refused."""
    create: Any = client.chat.completions.create
    try:
        create(**{"model": "assistant", "messages": HELLO, **fields})
    except openai.APIStatusError as problem:
        return problem.status_code
    return 200


if __name__ == "__main__":
    main()
