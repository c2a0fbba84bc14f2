"""Pairs of trainings in the table of significance."""

import pandas as pd

__all__ = ["of_all_jets"]


def of_all_jets(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of trainings with all jets; a table without learning curve knows no others."""
    return table[table["jets_per_class"].isna()] if "jets_per_class" in table else table
