"""Import a tiny language model, train an adapter, and query both through Ray Serve with OpenAI's client.

Prints the results as JSON on the last line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import openai
import ray
from aiohttp.test_utils import TestServer
from ray import serve

from modelyard_runtime.local.loopback import guarded
from modelyard_runtime.local.plan import Backend, Endpoint
from modelyard_runtime.local.router import Router
from modelyard_runtime.serving.application import server_class
from modelyard_runtime.workload.records import ServerWorkload
from tests.runtime.adapters import MODEL as ADAPTER
from tests.runtime.adapters import NAME as ADAPTER_NAME
from tests.runtime.adapters import QUICK, Tone
from tests.runtime.described import completed, record
from tests.runtime.serving.language import HELLO, MOST, TOKEN, described, imported
from tests.runtime.tiny_model import tiny_model

OPTIONS: dict[str, Any] = {
    "max_ongoing_requests": 8,
    "ray_actor_options": {"num_cpus": 0},
    "autoscaling_config": {
        "min_replicas": 1,
        "max_replicas": 2,
        "upscale_delay_s": 0,
        "look_back_period_s": 2,
        "metrics_interval_s": 0.5,
        "policy": {
            "policy_function": "modelyard_runtime.serving.language.scaling:ByTokens",
            "policy_kwargs": {"target": 20},
        },
    },
}
"""The options of a Ray Serve deployment, in the form in which a RayService has them."""

PROMPT, LEARNED = "the cat", "sat on the mat"

FIRST, RATE = "ray_modelyard_time_to_first_token_seconds", "ray_modelyard_tokens_per_second"
SERVED = "ray_serve_num_http_requests_total"
ROOT = Path(sys.argv[1])
FACTS: dict[str, Any] = {}


def main() -> None:
    """Run the entire scenario."""
    os.chdir(ROOT)
    imported(ROOT, tiny_model(ROOT / "chat"))
    Tone.at(ROOT, [f"{PROMPT} {LEARNED}"] * 80).train(**{**QUICK, "epochs": 8})
    (ROOT / "token").write_text(TOKEN)
    workload = described(ROOT)
    workload["applications"]["assistant-live"]["generation"] |= {
        "firstTokenObjectives": [0.8],
        "tokenRateObjective": 12.5,
    }
    workload["applications"]["assistant-live"]["adapters"] = {
        "support": {**ADAPTER, "uri": f"models:/{ADAPTER_NAME}@champion", "alias": "champion"}
    }
    (ROOT / "workload.json").write_text(json.dumps(completed(ServerWorkload, workload)))
    os.environ["MODELYARD_WORKLOAD"] = str(ROOT / "workload.json")
    port, metrics = free_port(), free_port()
    workers = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
    local: dict[str, Any] = {"address": "local", "include_dashboard": False, "_metrics_export_port": metrics}
    ray.init(**local, num_cpus=2, log_to_driver=False, runtime_env=workers)
    serve.start(http_options={"host": "127.0.0.1", "port": port}, proxy_location="HeadOnly")
    one = record(ServerWorkload, workload)
    deployment = serve.deployment(name="model", **OPTIONS)(guarded(server_class(one, "assistant-live")))
    serve.run(deployment.bind(one, "assistant-live"), name="assistant-live", route_prefix="/support")
    ask(f"http://127.0.0.1:{port}/support")
    asyncio.run(ask_by_name(f"http://127.0.0.1:{port}"))
    measure(f"http://127.0.0.1:{metrics}/metrics")
    grow(f"http://127.0.0.1:{port}/support")
    serve.shutdown()
    ray.shutdown()
    print(json.dumps(FACTS))


async def ask_by_name(serve_address: str) -> None:
    """Send requests that name the model or its adapter through the router."""
    backend = Backend(application="support", weight=100)
    entry = Endpoint(backends=(backend,), path="/", timeout_seconds=120, callers=(), prefix="/", models=())
    router = TestServer(Router({"assistant": entry}, serve_address).application())
    async with router, openai.AsyncOpenAI(base_url=str(router.make_url("/assistant/v1")), api_key=TOKEN) as client:
        for name in ("assistant", "support"):
            text = await client.completions.create(model=name, prompt=PROMPT, max_tokens=8, temperature=0)
            FACTS[f"{name} has learned"] = LEARNED in text.choices[0].text


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def measure(address: str) -> None:
    """Read Ray's metrics for the texts generated so far, including one that the client aborted midway."""
    series = (f"{FIRST}_bucket", f"{RATE}_bucket", SERVED, "ray_modelyard_requests_total")
    deadline = time.monotonic() + 60
    while not is_complete(text := read(address), series) and time.monotonic() < deadline:
        time.sleep(2)
    FACTS["bucket of the first token"] = "0.8" in {found["le"] for found in labels(text, f"{FIRST}_bucket")}
    FACTS["bucket of the token rate"] = "12.5" in {found["le"] for found in labels(text, f"{RATE}_bucket")}
    FACTS["statuses of the proxy"] = sorted({found["status_code"] for found in labels(text, SERVED)})
    FACTS["statuses of the server"] = sorted(
        {found["status"] for found in labels(text, "ray_modelyard_requests_total")}
    )


def is_complete(text: str, series: tuple[str, ...]) -> bool:
    """Return whether all series have samples that include the last requests.

    Each process exports its own series.
    """
    proxy = {found["status_code"] for found in labels(text, SERVED)}
    server = {found["status"] for found in labels(text, "ray_modelyard_requests_total")}
    return "403" in proxy and "499" in server and all(labels(text, name) for name in series)


def read(address: str) -> str:
    """Return the text served at an address."""
    with urllib.request.urlopen(address, timeout=60) as found:
        text: str = found.read().decode()
    return text


def labels(text: str, series: str) -> list[dict[str, str]]:
    """Return the labels of each sample in a series of the application."""
    lines = [line for line in text.splitlines() if line.startswith(f"{series}{{")]
    found = [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in lines]
    return [each for each in found if each["application"] == "assistant-live"]


def grow(address: str) -> None:
    """Send more concurrent requests than one replica should handle until Serve adds a second replica."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0, timeout=120)
    fields: dict[str, Any] = {"model": "assistant", "messages": HELLO, "max_tokens": MOST, "stream": True}
    deadline = time.monotonic() + 120
    while replicas() < 2 and time.monotonic() < deadline:
        texts = [client.chat.completions.create(**fields) for _ in range(3)]
        for text in texts:
            list(text)
    FACTS["replicas"] = replicas()


def replicas() -> int:
    """Return the number of replicas that Serve has or is starting."""
    deployed = serve.status().applications["assistant-live"].deployments["model"]
    return sum(deployed.replica_states.values())


def ask(address: str) -> None:
    """Request full and streamed completions, send invalid requests, and abort one stream."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key=TOKEN, max_retries=0, timeout=120)
    fields: dict[str, Any] = {"model": "assistant", "messages": HELLO, "max_tokens": 12, "temperature": 0}
    FACTS["models"] = [model.id for model in client.models.list()]
    text = client.chat.completions.create(**fields).choices[0].message.content
    chunks = list(client.chat.completions.create(**fields, stream=True))
    FACTS["pieces"] = len(chunks) > 3
    FACTS["same text"] = "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
    FACTS["refused"] = [status(client, **wrong) for wrong in ({"model": "gpt-4o"}, {"n": 2}, {"stream": True, "n": 2})]
    FACTS["wrong token"] = status(client.with_options(api_key="another"))
    abandoned: Any = client.chat.completions.create(**{**fields, "max_tokens": 64, "stream": True})
    next(iter(abandoned))
    abandoned.close()
    time.sleep(1)
    with urllib.request.urlopen(f"{address}/healthz", timeout=60) as response:
        FACTS["health"] = json.load(response)
    page = urllib.request.Request(f"{address}/healthz", headers={"Host": "evil.example"})
    with contextlib.suppress(urllib.error.HTTPError):
        FACTS["page of another site"] = urllib.request.urlopen(page, timeout=60).status


def status(client: openai.OpenAI, **fields: Any) -> int:
    """Return the status of the response to a request that should be refused."""
    create: Any = client.chat.completions.create
    try:
        create(**{"model": "assistant", "messages": HELLO, **fields})
    except openai.APIStatusError as problem:
        return problem.status_code
    return 200


if __name__ == "__main__":
    main()
