"""The Open Inference Protocol v2 over HTTP, as used by KServe and Triton clients, with Triton's binary tensors.

Each input is a model column, unless a single input contains all columns of its rows. Predictions are returned as the
outputs `predictions` and `scores`. https://github.com/kserve/open-inference-protocol and Triton's extension for binary
data, read 2026-11-26.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from math import isfinite, prod
from typing import TYPE_CHECKING, Any, Final

from modelyard_runtime.models.answers import Answer
from modelyard_runtime.models.checker import BadRequest, Rows
from modelyard_runtime.registry.client import Column
from modelyard_runtime.serving.payloads import bounded, parsed

if TYPE_CHECKING:
    import numpy.typing as npt

HEADER_LENGTH: Final = "inference-header-content-length"

_OUTPUTS: Final = ("predictions", "scores")
_PATH = re.compile(r"/v2(?:/health/(?P<health>live|ready)|/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?"
                   r"(?P<what>/ready|/infer)?)?/?")  # fmt: skip
_OF_COLUMNS: Final = {
    "double": "FP64",
    "float": "FP32",
    "long": "INT64",
    "integer": "INT32",
    "boolean": "BOOL",
}
_OF_NUMPY: Final = {"f": "FP64", "i": "INT64", "u": "INT64", "b": "BOOL"}
_BINARY: Final = {
    "BOOL": "?",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}


@dataclass(frozen=True, slots=True)
class Call:
    """The operation selected by a path: `server`, `live`, `ready`, `model`, `model ready` or `infer`."""

    kind: str
    model: str = ""
    version: str = ""


def call_of(path: str) -> Call | None:
    """Parse a path relative to the endpoint, returning None if it isn't part of the protocol."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    if match["model"] is None:
        return Call(match["health"] or "server")
    kind = {None: "model", "/ready": "model ready", "/infer": "infer"}[match["what"]]
    return Call(kind, match["model"], match["version"] or "")


def metadata(name: str, version: str, columns: tuple[Column, ...]) -> dict[str, Any]:
    """Return a description of a model's inputs and outputs."""
    inputs = [
        {"name": column.name, "datatype": _OF_COLUMNS.get(column.kind, "BYTES"), "shape": [-1]} for column in columns
    ]
    outputs = [{"name": name, "datatype": "FP64", "shape": [-1]} for name in _OUTPUTS]
    return {"name": name, "versions": [version], "platform": "mlflow", "inputs": inputs, "outputs": outputs}


@dataclass(slots=True)
class Infer:
    """An inference request, which decodes tensors to rows and encodes predictions as tensors."""

    model: str
    columns: tuple[Column, ...]
    header_length: str | None
    requested: tuple[str, ...] = field(default=())
    identity: str | None = field(default=None)

    def rows(self, body: bytes) -> Rows:
        """Decode the rows of a request."""
        content, binary = self._parts(body)
        document = parsed(content)
        self.identity = str(document["id"])[:128] if "id" in document else None
        self.requested = tuple(str(tensor.get("name")) for tensor in _mappings(document.get("outputs", [])))
        unknown = [name for name in self.requested if name not in _OUTPUTS]
        if unknown:
            raise BadRequest(f"there is no output {unknown[0]!r}; the outputs are predictions and scores", 400)
        inputs = _mappings(document.get("inputs"))
        columns: dict[str, list[Any]] = {}
        for tensor in inputs:
            name, shape = str(tensor.get("name")), _shape(tensor)
            values, binary = _values(tensor, prod(shape), binary)
            if len(inputs) == 1 and len(shape) == 2 and len(self.columns) == shape[1]:
                columns = {column.name: values[index :: shape[1]] for index, column in enumerate(self.columns)}
            elif prod(shape[1:]) != 1:
                raise BadRequest(f"input {name!r} must have one value for each row, or be the only one", 400)
            elif name in columns:
                raise BadRequest(f"the request has input {name!r} twice", 400)
            else:
                columns[name] = values
        return _rows(columns)

    def content(self, answers: Answer, version: str, request_id: str) -> dict[str, Any]:
        """Create the response body."""
        outputs = {"predictions": answers.values, **({} if answers.scores is None else {"scores": answers.scores})}
        tensors = [
            _tensor(name, values) for name, values in outputs.items() if not self.requested or name in self.requested
        ]
        identity = request_id if self.identity is None else self.identity
        return {"model_name": self.model, "model_version": version, "id": identity, "outputs": tensors}

    def _parts(self, body: bytes) -> tuple[bytes, bytes]:
        """Split a body into its JSON and the binary tensors that follow it."""
        if self.header_length is None:
            return body, b""
        if not self.header_length.isdecimal() or int(self.header_length[:15]) > len(body):
            raise BadRequest("Inference-Header-Content-Length is not a length within the body", 400)
        length = int(self.header_length[:15])
        return body[:length], body[length:]


def _rows(columns: dict[str, list[Any]]) -> Rows:
    lengths = set(map(len, columns.values()))
    if len(lengths) > 1:
        raise BadRequest("the inputs have different numbers of rows", 400)
    if not lengths or not max(lengths):
        raise BadRequest("the request has no rows")
    bounded(max(lengths))
    records = list(map(list, zip(*columns.values(), strict=True)))
    return Rows(records, {name: place for place, name in enumerate(columns)})


def _mappings(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise BadRequest("the body must contain a list `inputs`, and may contain a list `outputs`, of objects", 400)
    return value


def _shape(tensor: dict[str, Any]) -> list[int]:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not shape or not all(type(size) is int and size >= 0 for size in shape):
        raise BadRequest(f"input {str(tensor.get('name'))!r} has no shape such as [2] or [2, 1]", 400)
    return shape


def _values(tensor: dict[str, Any], count: int, binary: bytes) -> tuple[list[Any], bytes]:
    """Return a tensor's values row by row, and the remaining binary data."""
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    values = _flat(tensor.get("data")) if size is None else _decoded(tensor, size, binary)
    if len(values) != count:
        raise BadRequest(f"input {str(tensor.get('name'))!r} has {len(values)} values, but its shape has {count}", 400)
    return values, binary if size is None else binary[size:]


def _flat(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise BadRequest("each input must contain a list `data`, or have binary data after the JSON", 400)
    values: list[Any] = data
    while values and all(isinstance(item, list) for item in values):
        values = [value for item in values for value in item]
    return values


def _decoded(tensor: dict[str, Any], size: Any, binary: bytes) -> list[Any]:
    import numpy as np

    datatype = str(tensor.get("datatype"))
    if type(size) is not int or not 0 <= size <= len(binary):
        raise BadRequest("binary_data_size is not a length within the body", 400)
    if datatype == "BYTES":
        return _texts(binary[:size])
    if datatype not in _BINARY or size % np.dtype(_BINARY[datatype]).itemsize:
        raise BadRequest(f"{size} bytes are not a tensor of datatype {datatype}", 400)
    values: list[Any] = np.frombuffer(binary[:size], dtype=_BINARY[datatype]).tolist()
    return values


def _texts(content: bytes) -> list[str]:
    """Decode strings, each of which is preceded by its length."""
    texts: list[str] = []
    offset = 0
    try:
        while offset < len(content):
            (length,) = struct.unpack_from("<I", content, offset)
            if offset + 4 + length > len(content):
                raise ValueError("a string ends after the data")
            texts.append(content[offset + 4 : offset + 4 + length].decode())
            offset += 4 + length
    except (ValueError, struct.error) as problem:
        raise BadRequest(f"the binary strings cannot be read: {problem}", 400) from None
    return texts


def _tensor(name: str, values: npt.NDArray[Any]) -> dict[str, Any]:
    kind = _OF_NUMPY.get(values.dtype.kind, "BYTES")
    flat = values.reshape(-1).tolist()
    data = [_finite(value) for value in flat] if kind != "BYTES" else [str(value) for value in flat]
    return {"name": name, "shape": list(values.shape), "datatype": kind, "data": data}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
