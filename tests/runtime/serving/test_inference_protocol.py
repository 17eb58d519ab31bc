"""Tests the Open Inference Protocol with Triton's own client."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.runtime.servers import Endpoint, register, serving, summing, workload

pytestmark = pytest.mark.filterwarnings("ignore")  # raised by MLflow itself

KINDS = {"amount": "double", "country": "string", "age": "long"}
NUMBERS = {"a": "double", "b": "double"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Serve a model whose columns have several types."""
    description = workload(tmp_path_factory.mktemp("protocol"))
    register(description, summing(), KINDS)
    with serving(description) as endpoint:
        yield endpoint


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Any]:
    """Return Triton's client."""
    with triton.InferenceServerClient(endpoint.address) as client:
        yield client


def inputs(binary: bool, ages: tuple[int, ...] = (40, 41)) -> list[Any]:
    """Return two rows as tensors, one tensor per column."""
    columns = {
        "amount": (np.array([1.5, 2.5]), "FP64"),
        "country": (np.array(["zürich", "genf"], dtype=object), "BYTES"),
        "age": (np.array(ages, dtype=np.int64), "INT64"),
    }
    tensors = []
    for name, (values, datatype) in columns.items():
        tensor = triton.InferInput(name, [len(values), 1], datatype)
        tensor.set_data_from_numpy(values.reshape(-1, 1), binary_data=binary)
        tensors.append(tensor)
    return tensors


def test_health_and_metadata(client: Any) -> None:
    """The metadata lists the model's version and its columns with their types."""
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("shop-sum")
    assert client.get_server_metadata()["name"] == "modelyard"
    metadata = client.get_model_metadata("shop-sum")

    assert metadata["versions"] == ["1"]
    assert {column["name"]: column["datatype"] for column in metadata["inputs"]} == {
        "amount": "FP64",
        "country": "BYTES",
        "age": "INT64",
    }


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("outputs", [None, ["predictions"]])
def test_a_row_is_inferred(client: Any, binary: bool, outputs: list[str] | None) -> None:
    """The client sends either binary tensors, its default, or JSON."""
    requested = None if outputs is None else [triton.InferRequestedOutput(name, binary_data=binary) for name in outputs]

    result = client.infer("shop-sum", inputs(binary), outputs=requested, request_id="mine")

    np.testing.assert_allclose(result.as_numpy("predictions"), [41.5, 43.5])
    assert result.get_response()["model_version"] == "1"
    assert result.get_response()["id"] == "mine"


def test_one_tensor_may_contain_all_columns(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A single tensor may hold all columns, as in servers for models that take one array."""
    description = workload(tmp_path_factory.mktemp("matrix"))
    register(description, summing(), NUMBERS)
    tensor = triton.InferInput("input-0", [3, 2], "FP64")
    tensor.set_data_from_numpy(np.arange(6.0).reshape(3, 2))
    with serving(description) as endpoint, triton.InferenceServerClient(endpoint.address) as client:
        result = client.infer("sum", [tensor])

    assert result.as_numpy("predictions").tolist() == [1, 5, 9]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"shape": [3]}, "has 2 values, but its shape has 3"),
        ({"data": [2**63, 1]}, "column 'age' contains 9223372036854775808"),
        ({"data": ["x", 1]}, "column 'age' must contain whole numbers"),
        ({"name": "years"}, "column 'age' is missing"),
        ({"shape": "two"}, "has no shape"),
        ({"data": None}, "must contain a list"),
        ({"data": [], "shape": [0]}, "different numbers of rows"),
        ({"parameters": {"binary_data_size": 10**9}}, "not a length within the body"),
    ],
)
def test_invalid_request_is_refused(endpoint: Endpoint, change: dict[str, Any], why: str) -> None:
    tensors = [
        {"name": "amount", "shape": [2], "datatype": "FP64", "data": [1.5, 2.5]},
        {"name": "country", "shape": [2], "datatype": "BYTES", "data": ["ch", "de"]},
        {"name": "age", "shape": [2], "datatype": "INT64", "data": [40, 41], **change},
    ]

    response = endpoint.ask({"inputs": tensors}, "/v2/models/shop-sum/infer")

    assert response.status in {400, 422}
    assert why in response.content["error"]


@pytest.mark.parametrize("length", ["999999", "x", "-1", "9" * 5000])
def test_wrong_header_length_is_refused(endpoint: Endpoint, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length}

    assert endpoint.ask({"inputs": []}, "/v2/models/sum/infer", headers=headers).status == 400


@pytest.mark.parametrize("content", [struct.pack("<I", 4_000_000_000) + b"x", b"abc", struct.pack("<I", 1) + b"\xff"])
def test_malformed_binary_texts_are_refused(endpoint: Endpoint, content: bytes) -> None:
    tensor = {"name": "country", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": len(content)}}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}

    assert endpoint.ask(head + content, "/v2/models/sum/infer", headers=headers).status == 400


def test_unknown_model_or_version_is_not_found(client: Any) -> None:
    for model, version in (("other", ""), ("shop-sum", "7")):
        with pytest.raises(InferenceServerException):
            client.infer(model, inputs(True), model_version=version)


def test_inference_needs_a_token_and_health_does_not(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("token")
    (folder / "token").write_text("open sesame")
    auth = {"type": "bearer-token", "tokenFiles": {"shop": str(folder / "token")}}
    description = workload(folder, auth=auth)
    register(description, summing(), KINDS)
    with serving(description) as endpoint, triton.InferenceServerClient(endpoint.address) as client:
        assert client.is_server_ready()
        with pytest.raises(InferenceServerException):
            client.infer("sum", inputs(True))
        result = client.infer("sum", inputs(True), headers={"Authorization": "Bearer open sesame"})

    assert result.as_numpy("predictions").tolist() == [41.5, 43.5]
