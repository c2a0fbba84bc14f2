"""What features and other columns are called on axes and in tables."""

from collections.abc import Mapping
from textwrap import fill

from cloudchamber.jets.features import LABELS, Label

__all__ = [
    "axis_label",
    "count",
    "counts",
    "jets_in_words",
    "plain_name",
    "plain_solver",
    "told_apart",
    "unit",
    "wrapped",
]

_NAMES = {
    "jet_mass": "jet mass",
    "jet_pt": "jet pT",
    "jet_pt_rel": "relative jet pT",
    "multiplicity": "multiplicity",
    "tau21": "τ21",
    "tau32": "τ32",
    "d2": "D2",
    "pt_rel": "particle pT",
    "eta_rel": "particle η",
    "phi_rel": "particle φ",
}


_SOLVERS = {
    "euler": "Euler",
    "heun": "Heun",
    "rk4": "Runge-Kutta 4",
    "euler_maruyama": "Euler-Maruyama",
    "ddim": "DDIM",
    "dpm_solver": "DPM-Solver++",
}


def plain_solver(solver: str) -> str:
    """Return the name of a solver in words."""
    return _SOLVERS.get(solver, solver.replace("_", " "))


def plain_name(feature: str) -> str:
    """Return the name of a feature in words, for tables."""
    return _NAMES.get(feature, feature.replace("_", " "))


def unit(feature: str) -> str:
    """Return the unit of a feature, "" for a number without one."""
    return LABELS[feature].unit


def axis_label(label: Label) -> str:
    """Return symbol and unit for an axis; a number without a unit has the symbol alone."""
    return f"{label.symbol} [{label.unit}]" if label.unit else label.symbol


def count(n: int) -> str:
    """Return a number of jets with thousands set apart."""
    return f"{n:,}"


def jets_in_words(jets: int, effective: float | None) -> str:
    """Return how many true jets there are, and like how many equal ones they count where they have event weights."""
    worth = "" if effective is None else f" (weighted, like {count(round(effective))} equal ones)"
    return f"{count(jets)} true jets{worth}"


def counts(numbers: list[int]) -> str:
    """Return one number, or the lowest and the highest of several."""
    low, high = min(numbers), max(numbers)
    return count(low) if low == high else f"{count(low)} to {count(high)}"


def told_apart(titles: Mapping[str, str]) -> dict[str, str]:
    """Return the title of each name, with the name behind it where another has the same title.

    Example:
        >>> told_apart({"small": "transformer", "large": "transformer", "set": "deep set"})
        {'small': 'transformer (small)', 'large': 'transformer (large)', 'set': 'deep set'}
    """
    every = list(titles.values())
    return {name: f"{title} ({name})" if every.count(title) > 1 else title for name, title in titles.items()}


def wrapped(label: str, width: int = 16) -> str:
    """Return a label in lines of at most ``width`` letters, for narrow panels; single words may be longer."""
    lines = label.replace(" (", "\n(").split("\n")
    return "\n".join(fill(line, width, break_on_hyphens=False, break_long_words=False) for line in lines)
