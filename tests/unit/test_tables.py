"""Tables on disk: what is written is read, only an empty field is missing, and faults are one line."""

from pathlib import Path

import pandas as pd
import pytest

from cloudchamber.errors import InputError
from cloudchamber.figures.cells import cell
from cloudchamber.figures.inputs import Model
from cloudchamber.figures.looks import looks
from cloudchamber.figures.measurements import Measurement
from cloudchamber.figures.numbers import percent
from cloudchamber.figures.seed_value import over_seeds
from cloudchamber.metrics.tables import read_table, write_table


def test_only_an_empty_field_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("model,sampler,value\nNA,none,1.5\nnull,,\nnan,None,2\n")
    table = read_table(path, ("model", "value"))
    assert list(table["model"]) == ["NA", "null", "nan"]
    assert list(table["sampler"].isna()) == [False, True, False]
    assert list(table["value"].isna()) == [False, True, False]


def test_names_that_are_numbers_are_texts_where_that_is_asked_for(tmp_path: Path) -> None:
    """As samples that are called 1 and 02: read as numbers, none of them would be found by its name."""
    (tmp_path / "table.csv").write_text("model,value\n1,0.5\n02,0.25\n")
    assert read_table(tmp_path / "table.csv", texts=("model",))["model"].tolist() == ["1", "02"]


def test_a_seed_that_stands_there_twice_is_no_second_training() -> None:
    """As of two runs put together: their mean would have a spread of two trainings."""
    columns = {"model": "a", "metric": "accuracy", "uncertainty": 0.1, "floor": 0.3, "ceiling": 1.0, "n_reference": 10}
    one = over_seeds(pd.DataFrame([{**columns, "seed": seed, "value": 0.5 + seed / 10} for seed in (1, 2)]))
    assert one is not None
    assert (one.value, one.seeds) == (pytest.approx(0.65), 2)
    with pytest.raises(InputError, match="'accuracy' of 'a' with seed 1 stands there twice"):
        over_seeds(pd.DataFrame([{**columns, "seed": 1, "value": value} for value in (0.5, 0.6)]))


def test_no_uncertainty_is_rounded_to_zero() -> None:
    """As that of an efficiency of millions of events, and of trainings that hardly differ."""
    assert percent(0.25, 0.004) == "25.0 ± 0.4"
    assert percent(0.25003, 0.0004, "+") == "+25.00 ± 0.04"
    assert percent(0.25, 0.0) == "25.0 ± 0.0"
    look = looks(["a"], [])["a"]
    model = Model("a", "", "a", look, ())
    item = Measurement(model, "", (0.51, 0.5102), 0.12, 0.0, 0.0, 10, 10)
    assert cell(item) == "0.51 ± 0.12 (0.0001)"


def test_many_models_look_different() -> None:
    names = [f"model{number}" for number in range(40)]
    found = looks(names, [])
    assert len(set(found.values())) == len(names)
    assert looks(names[:10], []) == {name: found[name] for name in names[:10]}


def test_what_is_written_is_read_with_all_digits(tmp_path: Path) -> None:
    table = pd.DataFrame({"model": ["a", "b"], "value": [1 / 3, float("nan")], "jets": [3, 4]})
    write_table(tmp_path / "table.csv", table)
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.csv"), table, check_dtype=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model,feature\na,b\n", r"no column \['value', 'seed'\] among \['model', 'feature'\]"),
        ("model,value,seed\n", "the table has no rows"),
        ("", "cannot be read as a table: "),
        ('model,value\n"a,b\n', "cannot be read as a table: "),
        ("a,b\n1,2,3\n4,5,6,7,8\n", "cannot be read as a table: "),
    ],
)
def test_tables_that_cannot_be_used_are_one_line_errors(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=rf"table\.csv: {message}") as caught:
        read_table(path, ("model", "value", "seed"))
    assert "\n" not in str(caught.value)


def test_bytes_and_files_that_are_not_there_are_one_line_errors(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00model,value\n")
    for name in ("bytes.csv", "nothing.csv", "."):
        with pytest.raises(InputError, match="cannot be read as a table: ") as caught:
            read_table(tmp_path / name)
        assert "\n" not in str(caught.value)
