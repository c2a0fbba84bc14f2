"""Networks as models of ONNX."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

__all__ = ["onnx_model"]

_OPSET = 18


def onnx_model(
    module: nn.Module, example: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str], rows: str
) -> Any:
    """Return a network as a model of ONNX, without the traces of how it was made.

    Args:
        module: in evaluation mode, whose ``forward`` takes ``*inputs`` and does dense operations on fixed shapes.
        example: inputs with at least two rows, since a batch of one would be taken for a constant.
        inputs, outputs: names.
        rows: what the first axis, which stays free, counts.
    """
    number = torch.export.Dim(rows)
    # Other attention leaves its result in an order that ONNX does not know.
    with _quiet(), sdpa_kernel(SDPBackend.MATH):
        program = torch.onnx.export(
            module,
            example,
            dynamo=True,
            opset_version=_OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=(tuple({0: number} for _ in example),),
            verbose=False,
        )
    assert program is not None, "without a file to write to, the program is returned"
    model = program.model_proto
    for item in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del item.metadata_props[:]
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says of itself and of packages it could use."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
