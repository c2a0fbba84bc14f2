"""The precision of sums over the particles of a cloud."""

import torch
from torch import Tensor

__all__ = ["single_precision"]


def single_precision(terms: Tensor) -> Tensor:
    """Return terms of a sum in single precision where they have half of it, else as they are.

    A sum of a hundred terms in half precision loses what tells jets apart: on a GPU, which rounds after each of them,
    it stands still once it is 256 times as large as a term.
    """
    return terms.float() if terms.dtype in (torch.bfloat16, torch.float16) else terms
