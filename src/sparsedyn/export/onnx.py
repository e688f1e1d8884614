"""ONNX: networks as matrices, all other models as operations on columns."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsedyn.data import Scaling
from sparsedyn.export.header import facts
from sparsedyn.export.networks import layers
from sparsedyn.export.onnx_graph import IR, OPSET, Graph
from sparsedyn.export.program import Block, Program
from sparsedyn.models import MLP

"""Of the names of states, the name of their derivatives."""


def written(
    program: Program, *, double: bool, models: Sequence[MLP] = (), scaling: Scaling | None = None, known: Any = None
) -> Any:
    """Return a program as an `onnx.ModelProto`: `models` as matrices, and what is `known` beside them."""
    graph = Graph(double)

    def columns(x: str) -> dict[str, str]:
        parts = zip(program.states, graph.columns(x, len(program.states)), strict=True)
        given = zip(program.inputs, graph.columns("u", len(program.inputs)), strict=True)
        return {one.identifier: name for one, name in (*parts, *given)}

    def slope(x: str, result: str | None = None) -> str:
        if not models or scaling is None:
            assert program.rhs is not None
            return graph.block(program.rhs, columns(x), x, result)
        own = result if known is None else None
        found = networks(graph, models, scaling, [x, "u"] if program.inputs else [x], own)
        return found if known is None else graph.op("Add", found, graph.block(known, columns(x), x), result=result)

    outputs = {}
    if program.rhs is not None:
        outputs["dx"] = slope("x", "dx")
        outputs["x_next"] = _step(graph, program, slope)
    blocks: dict[str, tuple[Block | None, int]] = {
        "x_next": (program.following, len(program.states)),
        "y": (program.output, len(program.outputs)),
    }
    for name, (block, _) in blocks.items():
        if block is not None:
            outputs[name] = graph.block(block, columns("x"), "x", name)
    return _model(graph, program, {name: blocks.get(name, blocks["x_next"])[1] for name in outputs})


def networks(graph: Graph, models: Sequence[MLP], scaling: Scaling, features: Sequence[str], result: str | None) -> str:
    """Add the mean of the derivatives of networks at `features`."""
    joined = graph.op("Concat", *features, axis=1) if len(features) > 1 else features[0]
    means = np.concatenate([scaling.x_mean, scaling.u_mean])
    # Subtracted rather than folded into biases: see sparsedyn.export.networks.
    centered = graph.op("Sub", joined, graph.constant(means[None], "mean"))
    found = [
        _network(graph, model, scaling, centered, f"m{i}", result if len(models) == 1 else None)
        for i, model in enumerate(models)
    ]
    if len(found) == 1:
        return found[0]
    total = found[0]
    for one in found[1:]:
        total = graph.op("Add", total, one)
    return graph.op("Mul", total, graph.number(1 / len(models)), result=result)


def _network(graph: Graph, model: MLP, scaling: Scaling, features: str, name: str, result: str | None) -> str:
    hidden, pairs = features, layers(model, scaling)
    for layer, (weights, constants) in enumerate(pairs):
        if model.skip and layer:
            hidden = graph.op("Concat", hidden, features, axis=1)
        parts = (graph.constant(weights, f"{name}_w{layer}"), graph.constant(constants, f"{name}_b{layer}"))
        last = layer == len(pairs) - 1
        hidden = graph.op("Gemm", hidden, *parts, result=result if last else None)
        hidden = hidden if last else _activated(graph, model.activation, hidden)
    return hidden


def _activated(graph: Graph, activation: str, a: str) -> str:
    def times(value: str, number: float) -> str:
        return graph.op("Mul", value, graph.number(number))

    if activation in ("relu", "tanh", "sigmoid"):
        return graph.op(activation.capitalize(), a)
    if activation == "silu":
        return graph.op("Mul", a, graph.op("Sigmoid", a))
    if activation == "gelu":
        cube = graph.op("Mul", graph.op("Mul", a, a), a)
        inner = times(graph.op("Add", a, times(cube, 0.044715)), float(np.sqrt(2 / np.pi)))
        return graph.op("Mul", times(a, 0.5), graph.op("Add", graph.op("Tanh", inner), graph.number(1.0)))
    if activation == "softplus":
        small = graph.op("Exp", graph.op("Neg", graph.op("Abs", a)))
        return graph.op("Add", graph.op("Log", graph.op("Add", small, graph.number(1.0))), graph.op("Relu", a))
    return a


def _step(graph: Graph, program: Program, slope: Callable[..., str]) -> str:
    """Add the states of the next row; more than one step a row is a loop."""
    h = program.dt / program.substeps

    def moved(x: str, along: str, share: float, result: str | None = None) -> str:
        return graph.op("Add", x, graph.op("Mul", along, graph.number(share * h)), result=result)

    def one(x: str, first: str, result: str | None) -> str:
        if program.method == "euler":
            return moved(x, first, 1.0, result)
        k2 = slope(moved(x, first, 0.5))
        k3 = slope(moved(x, k2, 0.5))
        k4 = slope(moved(x, k3, 1.0))
        middle = graph.op("Mul", graph.op("Add", k2, k3), graph.number(2.0))
        return moved(x, graph.op("Add", graph.op("Add", first, middle), k4), 1 / 6, result)

    if program.substeps == 1:
        return one("x", "dx", "x_next")
    helper, before = graph.onnx.helper, graph.nodes
    graph.nodes = []
    one("s", slope("s"), "s_next")
    graph.op("Identity", "going", result="still_going")
    shape = ["N", len(program.states)]
    body = helper.make_graph(
        graph.nodes,
        "substep",
        [
            helper.make_tensor_value_info("j", graph.onnx.TensorProto.INT64, []),
            helper.make_tensor_value_info("going", graph.onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("s", graph.element, shape),
        ],
        [
            helper.make_tensor_value_info("still_going", graph.onnx.TensorProto.BOOL, []),
            helper.make_tensor_value_info("s_next", graph.element, shape),
        ],
    )
    graph.nodes = before
    times = graph.constant(program.substeps, kind=np.int64)
    return graph.op("Loop", times, graph.constant(True, kind=np.bool_), "x", result="x_next", body=body)


def _model(graph: Graph, program: Program, outputs: dict[str, int]) -> Any:
    helper = graph.onnx.helper

    def infos(widths: dict[str, int]) -> list[Any]:
        return [helper.make_tensor_value_info(name, graph.element, ["N", width]) for name, width in widths.items()]

    given = {"x": len(program.states), "u": len(program.inputs)}
    said = "\n".join(facts(program, "double" if graph.double else "single"))
    made = helper.make_graph(
        graph.nodes,
        "sparsedyn",
        infos({name: width for name, width in given.items() if width}),
        infos(outputs),
        list(graph.constants.values()),
        doc_string=said,
    )
    model = helper.make_model(
        made, producer_name="sparsedyn", opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR
    )
    parts = (("x", program.states), ("u", program.inputs), ("y", program.outputs))
    helper.set_model_props(
        model,
        {name: json.dumps([{"name": one.name, "unit": one.unit} for one in part]) for name, part in parts if part}
        | ({} if program.rhs is None and program.following is None else {"dt": repr(program.dt)}),
    )
    graph.onnx.checker.check_model(model, full_check=True)
    return model
