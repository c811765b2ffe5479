import json

import numpy as np
import pandas as pd
import pytest

from spinetk.errors import InputError
from spinetk.measure import compare, measure
from spinetk.measure.comparison import bland_altman_panel, error_table, paired_values

LABELS = ["L1", "L2", "L3", "L4", "L5"]
TRUE = [(25.0, 24.0, 26.0), (26.0, 25.0, 27.0), (27.0, 26.0, 28.0), (27.0, 26.0, 28.0), (27.0, 26.0, 26.0)]
TALLER = [tuple(1.1 * h for h in three) for three in TRUE]


def test_heights_and_angles_side_by_side(spine):
    first = spine(TRUE, labels=LABELS, tilts=[10, 5, 0, -8, -20])
    second = spine(TALLER, labels=LABELS, tilts=[12, 5, 0, -8, -21])
    result = compare(first, second)
    assert (result["matched"], result["only_first"], result["only_second"]) == (5, [], [])
    anterior = result["vertebrae"][1]["heights_mm"]["anterior"]
    assert anterior["first"] == pytest.approx(26.0)
    assert anterior["difference"] == pytest.approx(2.6)
    assert anterior["percent"] == pytest.approx(10.0, abs=1e-3)
    lordosis = result["angles"]["lordosis_l1_l5"]
    difference = measure(second).angles["lordosis_l1_l5"] - measure(first).angles["lordosis_l1_l5"]
    assert lordosis["difference"] == pytest.approx(difference, abs=1e-3)
    assert result["vertebrae"][0]["deformity"]["first_grade"] == 0
    json.dumps(result, allow_nan=False)


def test_what_was_measured_before_is_compared_as_it_is(spine):
    """Heights from another program's file, which the points would not give; those without are measured."""
    given = measure(spine([(20, 20, 20)] * 2))
    given.vertebrae[0].measures["heights_mm"]["left"] = 99.0
    table = paired_values([(given, spine([(20, 20, 20)] * 2))])
    left = table[table["quantity"] == "height_left"]
    assert left["first"].tolist() == [99.0, pytest.approx(20)]
    assert left["second"].tolist() == [pytest.approx(20)] * 2


def test_point_error_in_px_and_mm(spine):
    first = spine(TRUE, labels=LABELS, spacing=(0.5, 0.25))
    second = spine(TRUE, labels=LABELS, spacing=(0.5, 0.25))
    for vertebra in second.vertebrae:
        vertebra.points = vertebra.points + np.array([3.0, 4.0])
    vertebra = compare(first, second)["vertebrae"][2]
    assert vertebra["point_error_px"] == pytest.approx(5.0)
    assert vertebra["point_error_mm"] == pytest.approx(np.hypot(0.75, 2.0), abs=1e-4)


def test_what_has_no_partner_is_listed(spine):
    first, second = spine(TRUE, labels=LABELS), spine(TRUE, labels=LABELS)
    del second.vertebrae[0]
    result = compare(first, second)
    assert result["only_first"] == ["L1"]
    assert result["only_second"] == []
    assert compare(spine([]), spine([]))["matched"] == 0


def test_other_pictures_and_other_landmarks_are_refused(spine):
    other = spine(TRUE)
    other.height = 10
    with pytest.raises(InputError, match="another size"):
        compare(spine(TRUE), other)
    with pytest.raises(InputError, match="landmarks"):
        compare(spine(TRUE), spine(TRUE, corners=True))


def test_error_table_by_hand(spine):
    values = paired_values([(spine(TRUE, labels=LABELS), spine(TALLER, labels=LABELS))])
    table = error_table(values).set_index(["quantity", "level"])
    row = table.loc[("height_posterior", "L3")]
    assert (row["n"], row["unit"]) == (1, "mm")
    assert row["mae"] == pytest.approx(2.8, abs=1e-3)
    assert row["mape"] == pytest.approx(10.0, abs=1e-3)
    assert error_table(paired_values([])).empty
    whole = error_table(values, by=["quantity"]).set_index("quantity").loc["height_middle"]
    differences = np.array([0.1 * three[1] for three in TRUE])
    assert whole["n"] == 5
    assert whole["bias"] == pytest.approx(differences.mean(), abs=1e-3)
    assert whole["rmse"] == pytest.approx(np.sqrt((differences**2).mean()), abs=1e-3)
    assert whole["sd"] == pytest.approx(differences.std(ddof=1), abs=1e-3)


def by_hand(quantity, unit, first, second, level=None):
    """Rows as `paired_values` makes them."""
    first, second = np.array(first, float), np.array(second, float)
    percent = np.nan if unit == "grade" else 100 * (second / first - 1)
    columns = {"first": first, "second": second, "difference": second - first, "percent": percent}
    return pd.DataFrame({"file": "a", "level": level, "quantity": quantity, "unit": unit, **columns})


def test_every_figure_of_an_error_table_by_hand():
    """Differences 1, -1 and 3 of 10, 20 and 30: 10, -5 and 10 %; and one alone, without a level, that has no spread."""
    rows = [by_hand("h", "mm", [10, 20, 30], [11, 19, 33], "L1"), by_hand("h", "mm", [10], [8])]
    known, alone = error_table(pd.concat(rows)).to_dict("records")
    assert known == {
        "quantity": "h", "unit": "mm", "level": "L1", "n": 3, "bias": pytest.approx(1), "sd": pytest.approx(2),
        "mae": pytest.approx(5 / 3), "rmse": pytest.approx((11 / 3) ** 0.5), "max": pytest.approx(3),
        "mape": pytest.approx(25 / 3),
    }  # fmt: skip
    assert (alone["n"], alone["bias"], alone["max"], alone["mape"]) == (1, -2, 2, pytest.approx(20))
    assert np.isnan(alone["sd"])


@pytest.mark.parametrize(("unit", "shown"), [("mm", " (mm)"), ("", "")])
def test_the_plot_says_what_lies_along_its_axes(unit, shown):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    bland_altman_panel(axes, [10.0, 20.0, 30.0, None], [11.0, 22.0, 30.0, 4.0], "anterior", unit)
    assert axes.get_xlabel() == f"mean of both{shown}"
    assert axes.get_ylabel() == f"second - first{shown}"
    assert axes.get_title() == "anterior (n = 3)"
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[10.5, 1], [21, 2], [30, 0]])
    assert [line.get_ydata()[0] for line in axes.lines] == pytest.approx([1, -0.96, 2.96])
    assert [text.get_text()[:5] for text in axes.texts] == ["bias ", "lower", "upper"]
    bland_altman_panel(Figure().subplots(), [], [], "nothing", unit)
    alike = Figure().subplots()
    bland_altman_panel(alike, [0.0, 0.0], [0.5, 0.5], "curve below", unit)
    assert [text.get_text() for text in alike.texts] == ["bias 0.50"], "names would lie on one another"
