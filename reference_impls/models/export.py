"""Writes a trained transformer as an ONNX graph with a key-value cache.

The graph is built by hand from plain operators: its inputs are tokens and the tokens
before them [rows, time], positions [time], an
additive mask [time, past + time] and, for every layer, past keys and values [rows, heads, past, size]; its
outputs are the logits and the longer keys and values. Weights are stored in half precision and widened when
ONNX Runtime loads the file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

from reference_impls.models.pool import ModelSpec
from reference_impls.safe.writing import write_bytes

_FLOAT = TensorProto.FLOAT


class _Graph:
    """Collects nodes and constants, and names what they make."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def node(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        """The first output's name; further ones end in ``.1``, ``.2``."""
        name = f"{op}{len(self.nodes)}"
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return name

    def constant(self, array: NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array: NDArray[np.float32]) -> str:
        return self.node("Cast", self.constant(array.astype(np.float16)), to=_FLOAT)


def export(
    weights: Mapping[str, NDArray[np.float32]], spec: ModelSpec, tables: tuple[NDArray[np.float32], ...], path: Path
) -> None:
    """Writes the ONNX file.

    Args:
        weights: PyTorch's state dictionary as arrays.
        spec: gives layers, width and heads.
        tables: rotary cos and sin, each [positions, size of a head].
        path: of the file.
    """
    g, heads, width = _Graph(), spec.heads, spec.width
    size = width // heads
    epsilon = g.constant(np.array([1e-5], np.float32))
    last = g.constant(np.array([-1], np.int64))
    head_shape = g.constant(np.array([0, 0, 3 * heads, size], np.int64))
    flat_shape = g.constant(np.array([0, 0, width], np.int64))
    qk_and_v = g.constant(np.array([2 * heads, heads], np.int64))
    q_and_k = g.constant(np.array([heads, heads], np.int64))
    halves = g.constant(np.array([size // 2, size // 2], np.int64))
    cos, sin = (g.node("Gather", g.constant(table), "positions") for table in tables)

    def norm(x: str) -> str:
        """x / sqrt(mean(x^2) + epsilon); the learned scale is folded into the matrix that follows."""
        mean = g.node("ReduceMean", g.node("Mul", x, x), last)
        return g.node("Div", x, g.node("Sqrt", g.node("Add", mean, epsilon)))

    embedding = g.weight(weights["embed.weight"])
    before = g.node("Mul", g.node("Gather", embedding, "previous"), g.weight(weights["previous"]))
    x = g.node("Add", g.node("Gather", embedding, "tokens"), before)
    cache: list[str] = []
    for i in range(spec.layers):
        layer = {k.removeprefix(f"blocks.{i}."): v for k, v in weights.items() if k.startswith(f"blocks.{i}.")}
        qkv = layer["qkv.weight"].T * layer["norm1.weight"][:, None]
        qkv[:, :width] /= np.sqrt(size)
        split = g.node("Reshape", g.node("MatMul", norm(x), g.weight(qkv)), head_shape)
        by_head = g.node("Transpose", split, perm=[0, 2, 1, 3])
        qk = g.node("Split", by_head, qk_and_v, outputs=2, axis=1)
        a = g.node("Split", qk, halves, outputs=2, axis=3)
        turned = g.node("Concat", g.node("Neg", f"{a}.1"), a, axis=3)
        rotated = g.node("Add", g.node("Mul", qk, cos), g.node("Mul", turned, sin))
        q = g.node("Split", rotated, q_and_k, outputs=2, axis=1)
        keys = g.node("Concat", f"k{i}", f"{q}.1", axis=2)
        values = g.node("Concat", f"v{i}", f"{qk}.1", axis=2)
        cache += [keys, values]
        scores = g.node("MatMul", q, g.node("Transpose", keys, perm=[0, 1, 3, 2]))
        shares = g.node("Softmax", g.node("Add", scores, "mask"), axis=-1)
        mixed = g.node("Transpose", g.node("MatMul", shares, values), perm=[0, 2, 1, 3])
        x = g.node("Add", x, g.node("MatMul", g.node("Reshape", mixed, flat_shape), g.weight(layer["out.weight"].T)))
        up = layer["up.weight"].T * layer["norm2.weight"][:, None]
        hidden = g.node("Relu", g.node("MatMul", norm(x), g.weight(up)))
        x = g.node("Add", x, g.node("MatMul", g.node("Mul", hidden, hidden), g.weight(layer["down.weight"].T)))
    scaled = g.node("Mul", norm(x), g.weight(weights["norm.weight"]))
    logits = g.node("MatMul", scaled, g.node("Transpose", embedding, perm=[1, 0]))

    def info(name: str, kind: int, shape: list[str | int]) -> ValueInfoProto:
        return helper.make_tensor_value_info(name, kind, shape)

    inputs = [
        info("tokens", TensorProto.INT64, ["rows", "time"]),
        info("previous", TensorProto.INT64, ["rows", "time"]),
        info("positions", TensorProto.INT64, ["time"]),
        info("mask", _FLOAT, ["time", "all"]),
        *(info(f"{kind}{i}", _FLOAT, ["rows", heads, "past", size]) for i in range(spec.layers) for kind in "kv"),
    ]
    outputs = [info(logits, _FLOAT, ["rows", "time", "words"])]
    outputs += [info(name, _FLOAT, ["rows", heads, "all", size]) for name in cache]
    graph = helper.make_graph(g.nodes, spec.name, inputs, outputs, g.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    checker.check_model(model)
    write_bytes(path, model.SerializeToString())
