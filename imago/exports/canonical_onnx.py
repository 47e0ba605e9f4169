"""ONNX models with their nodes in an order, and under names, that follow from the model alone."""

import onnx
from onnx import numpy_helper

from imago.exports.source import DISTANCE, PIXELS, PROBABILITIES


def canonical(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the same model, its input and outputs named as those of every format.

    The converter orders and names nodes after the order of sets, which differs from process to
    process.

    Args:
        model: One input, one output or two, in the order of their names; no nested graphs.
    """
    graph = model.graph
    weights = {weight.name: weight for weight in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output if output}
    (given,), results = graph.input, graph.output
    names = {given.name: PIXELS, "": ""}  # an optional input that is left out has no name
    new = onnx.GraphProto(name="imago")

    # From the results backwards. A stack, since deep nets are deeper than Python's calls may be.
    open_ends = [result.name for result in reversed(results)]
    while open_ends:
        name = open_ends[-1]
        node = makers.get(name)
        missing = [i for i in node.input if i not in names] if node and name not in names else []
        if missing:
            open_ends += reversed(missing)
            continue
        open_ends.pop()
        if name in names:
            continue
        if node is None:
            names[name] = f"weight_{len(new.initializer)}"
            array = numpy_helper.to_array(weights[name])
            new.initializer.append(numpy_helper.from_array(array, names[name]))
        else:
            _append(new, node, names)

    named = [(given, new.input, PIXELS)]
    named += [
        (result, new.output, name)
        for result, name in zip(results, (PROBABILITIES, DISTANCE), strict=False)
    ]
    for value, values, name in named:
        _rename(new, names[value.name], name)
        added = values.add()
        added.CopyFrom(value)
        added.name = name
        added.type.tensor_type.shape.dim[0].dim_param = "N"
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    used = {node.domain for node in new.node}
    return onnx.helper.make_model(
        new,
        opset_imports=[opset for opset in opsets if opset.domain in used],
        ir_version=model.ir_version,
        producer_name=model.producer_name,
    )


def _append(graph: onnx.GraphProto, node: onnx.NodeProto, names: dict[str, str]) -> None:
    """Add a copy of a node whose inputs have new names, and give its outputs new ones."""
    label = f"{node.op_type}_{len(graph.node)}"
    for index, output in enumerate(node.output):
        if output:
            names[output] = f"{label}_{index}" if index else label
    copy = graph.node.add(op_type=node.op_type, domain=node.domain, name=label)
    copy.input.extend(names[name] for name in node.input)
    copy.output.extend(names[name] for name in node.output)
    copy.attribute.extend(sorted(node.attribute, key=lambda attribute: attribute.name))


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for values in (node.input, node.output):
            for index, name in enumerate(values):
                if name == old:
                    values[index] = new
