import base64
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import cv2
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.report.page import card, write_page, write_summary
from spinetk.schema import VERTEBRA6

HOSTILE = "<script>alert(1)</script>\"'&<img src=http://evil.example/x onerror=alert(2)>\u202e\x00.png"
# What HTML allows to stand open.
VOID = {"meta", "img", "br"}
HOLD_NO_TEXT = {"html", "head", "body", "main", "header", "section", "figure", "dl", "ul", "table", "thead", "tbody"}
HOLD_NO_TEXT |= {"tr", "footer"}


class Document(HTMLParser):
    """Collects tags, attributes and text, and checks that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.sources, self.text, self.handlers, self._open = [], [], [], "", [], []
        self.rows = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attributes:
            self.links += [value] if name == "href" else []
            self.sources += [value] if name in ("src", "srcset", "background", "action") else []
            self.handlers += [name] if name.startswith("on") else []

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data
        if not self._open or self._open[-1] in HOLD_NO_TEXT:
            assert not data.strip(), f"text between elements: {data}"
        if self._open and {"td", "th"} & set(self._open):
            self.rows[-1][-1] += data


def reading(file="a.png", label="L1"):
    points = np.array([[20, 32.125], [30, 32], [40, 32], [40, 20], [30, 20.5], [20, 20]])
    first = Vertebra.from_points(points, label=label, score=0.875)
    first.measures = {
        "heights_px": {"left": 12.1, "middle": 11.5, "right": 12.0, "anterior": 12.1, "posterior": 12.0},
        "heights_mm": {"left": 24.2, "middle": 23.0, "right": 24.0, "anterior": 24.2, "posterior": 24.0},
        "heights_mm_interval": {"anterior": [23.1, 25.2], "middle": None},
        "ratios": {"wedge": 1.008, "biconcavity": None, "left_right": 1.008},
        "tilt_deg": -3.25,
        "deformity": {"type": "wedge", "grade": 1, "loss_percent": 22.4, "notes": ["a note"]},
    }
    second = Vertebra.from_points(points + np.array([0, 20]))
    second.measures = {"heights_mm": None, "deformity": None, "deformity_reason": "a reason"}
    angles = {"cobb_max": 12.34, "cobb_max_ends": ["L1", 1], "cobb_upper": None}
    return Reading(file, 80, 90, VERTEBRA6, [first, second], Frame((2.0, 2.0), "PixelSpacing"), "ap", "net", angles)


PICTURE = np.full((80, 90), 90, np.uint8)


def page(tmp_path, one):
    write_page(tmp_path / "p.html", one, PICTURE)
    text = (tmp_path / "p.html").read_bytes().decode("utf-8", "strict")
    return text, Document(text)


def overview(summary, pages, failed=None):
    """Written of readings by their page, each of a picture of its size."""
    pictures = {page: np.full((one.height, one.width), 90, np.uint8) for page, one in pages.items()}
    cards = [card(one, page, summary, pictures[page]) for page, one in pages.items()]
    write_summary(summary, list(pages.values()), cards, failed=failed)
    text = summary.read_text(encoding="utf-8")
    return text, Document(text)


def test_page_tells_the_measures(tmp_path):
    _, document = page(tmp_path, reading())
    head, first, second = document.rows[:3]
    row = dict(zip(head, first, strict=True))
    assert row["Level"] == "L1"
    assert row["Anterior (mm)"].split() == ["24.2", "23.1–25.2"]
    assert row["Posterior (mm)"] == "24.0"
    assert row["Tilt"] == "−3.2°"
    assert row["Deformity (height loss)"] == "wedge, grade 1 (22 %)"
    assert "Image left (mm)" not in row
    assert dict(zip(head, second, strict=True))["Deformity (height loss)"] == "not determinable"
    assert dict(zip(head, second, strict=True))["Level"] == "#2"
    assert ["Cobb, largest", "12.3°", "L1–#2"] in document.rows
    assert "#2: a reason" in document.text
    assert "L1: a note" in document.text
    assert "2 mm (PixelSpacing)" in document.text
    assert "Research use only" in document.text


def test_a_page_says_how_sure_a_body_was_seen_and_below_what_it_was_asked_for(tmp_path):
    one = reading()
    one.threshold, one.vertebrae[0].measures["below_threshold"] = 0.9, True
    head, first, second = page(tmp_path, one)[1].rows[:3]
    assert [dict(zip(head, row, strict=True))["Score"] for row in (first, second)] == ["0.88 < 0.90", "–"]


def test_a_meyerding_grade_is_shown_as_far_as_its_slip_is_sure(tmp_path):
    one = reading()
    one.vertebrae[1].label = "L2"
    slip = {"name": "L1-L2", "listhesis_percent": 12.0, "listhesis_percent_interval": [-3.0, -0.2], "meyerding": 1}
    for span, said in (([0, 2], "0 to 2"), ([0, 1], "0 or 1"), ([1, 1], "1"), (None, "1")):
        one.vertebrae[0].measures["disc_below"] = slip | {"meyerding_interval": span}
        _, document = page(tmp_path, one)
        (head,) = [row for row in document.rows if row[:1] == ["Disc"]]
        (row,) = [row for row in document.rows if row[:1] == ["L1-L2"]]
        shown = dict(zip(head, row, strict=True))
        assert shown["Meyerding"] == said
        assert shown["Slip"].split() == ["12", "%", "−3", "to", "0"]


def test_figures_beside_grades_lie_on_the_side_of_the_grade(tmp_path):
    one = reading()
    one.vertebrae[1].label = "L2"
    slip = {"name": "L1-L2", "listhesis_percent": 25.3, "listhesis_percent_interval": [24.4, 50.2], "meyerding": 2}
    one.vertebrae[0].measures["disc_below"] = slip
    loss = {"type": "normal", "grade": 0, "loss_percent": 19.96, "loss_percent_interval": [18.6, 19.7]}
    one.vertebrae[0].measures["deformity"] = loss | {"thresholds_percent": [20.0, 25.0, 40.0]}
    html, document = page(tmp_path, one)
    (row,) = [row for row in document.rows if row[:1] == ["L1-L2"]]
    assert "25.3 % 24–50.2" in row
    assert "normal (19.96 %)" in html
    assert "19–19.7 %" in html


def test_page_needs_nothing_but_itself(tmp_path):
    text, document = page(tmp_path, reading())
    assert document.sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in document.sources)
    assert "default-src 'none'" in text
    assert document.links == []
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(document.tags)
    assert "url(" not in text
    assert "@import" not in text
    for scheme in ("http:", "https:", "//www"):
        assert scheme not in text
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(document.sources[0].partition(",")[2]), np.uint8), 1)
    assert shown.shape[0] > 500
    assert "prefers-color-scheme: dark" in text
    assert "@page { size: A4" in text


def test_hostile_text_is_escaped_everywhere(tmp_path):
    one = reading(HOSTILE, label="<b onclick=x>L1</b>")
    one.model = "<script>model</script>"
    one.remarks = ["<script>remark</script>"]
    one.frame = Frame((1.0, 1.0), "<script>source</script>")
    one.vertebrae[0].measures["deformity"]["type"] = "<script>type</script>"
    one.vertebrae[0].measures["deformity"]["notes"] = ["<script>note</script>"]
    one.angles["cobb_max_ends"] = ["<script>end</script>", 1]
    text, document = page(tmp_path, one)
    summary = overview(tmp_path / "s.html", {tmp_path / "p.html": one}, {HOSTILE: "<script>x</script>"})
    for written, parsed in ((text, document), summary):
        assert "<script" not in written
        assert "script" not in parsed.tags
        assert parsed.handlers == []
        assert not any("evil" in source for source in parsed.sources)
        assert "\u202e" not in written
        assert "\x00" not in written
    assert "<script>remark</script>" in document.text
    assert "<b onclick=x>L1</b>" in document.text


def test_summary_counts_and_links(tmp_path):
    (tmp_path / "out" / "x").mkdir(parents=True)
    pages = [tmp_path / "out" / "x" / "a b#1?.html", tmp_path / "out" / "javascript:x.html"]
    empty = Reading("empty.png", 80, 90, VERTEBRA6)
    readings = dict(zip(pages, [reading(), empty], strict=True))
    _, document = overview(tmp_path / "out" / "s.html", readings, {"broken.dcm": "is truncated"})
    assert document.links == ["./x/a%20b%231%3F.html", "./javascript%3Ax.html"]
    assert (tmp_path / "out" / unquote(document.links[0])).parent == tmp_path / "out" / "x"
    assert len(document.sources) == 2
    words = document.text
    assert re.search(r"pictures\s*2", words)
    assert re.search(r"vertebrae\s*2", words)
    assert re.search(r"pictures without a vertebra\s*1", words)
    assert re.search(r"grade 1, mild\s*1", words)
    assert "worst: grade 1, mild" in words
    assert "broken.dcm: is truncated" in words


def test_summary_of_nothing(tmp_path):
    assert re.search(r"pictures\s*0", overview(tmp_path / "s.html", {})[1].text)


def test_bare_and_empty_readings_have_pages(tmp_path):
    bare = reading()
    for vertebra in bare.vertebrae:
        vertebra.measures = {}
    bare.angles = {}
    _, document = page(tmp_path, bare)
    assert document.rows[0] == ["Level", "Score"]
    _, document = page(tmp_path, Reading("a.png", 80, 90, VERTEBRA6))
    assert document.rows == []
    assert "no vertebra" in document.text


def test_folder_names_do_not_show(tmp_path):
    text, _ = page(tmp_path, reading("/data/Planted_Patient^Name/a.png"))
    assert "Planted" not in text
    assert "a.png" in text


def test_wrong_picture_writes_nothing(tmp_path):
    with pytest.raises(InputError, match=r"a\.png"):
        write_page(tmp_path / "p.html", reading(), np.zeros((5, 5), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_sure_is_never_called_normal(tmp_path):
    """On page, overview, table and overlay: a grade that may be 0 or 1 is neither."""
    from spinetk.formats.table import rows
    from spinetk.report.column import lay_out

    doubtful = reading()
    doubtful.vertebrae[0].measures["deformity"] = {
        "type": "uncertain", "grade": 0, "loss_percent": 18.0, "loss_percent_interval": [9.0, 24.0],
        "grade_interval": [0, 1], "grade_probability": [0.7, 0.3, 0.0, 0.0], "thresholds_percent": [20.0, 25.0, 40.0],
    }  # fmt: skip
    _, document = page(tmp_path, doubtful)
    assert "uncertain: grade 0 or 1 (18 %) 9\N{EN DASH}24 %" in document.rows[1]
    _, summary = overview(tmp_path / "s.html", {tmp_path / "p.html": doubtful})
    assert "grade of 1 uncertain" in summary.text
    column = lay_out(doubtful, [(10.0, 10.0), (10.0, 40.0)], left=0, top=0, bottom=90, text_px=12)
    assert "uncertain: grade 0 or 1 (18 %)" in [cell.text for label in column.labels for cell in label.cells]
    row = rows(doubtful)[0]
    assert (row["deformity_type"], row["deformity_grade_low"], row["deformity_grade_high"]) == ("uncertain", 0, 1)
    assert (row["deformity_grade_probability"], row["deformity_loss_percent_high"]) == (0.7, 24.0)
    # The head of the overview counts grades by name, whether or not one occurs.
    assert "normal" not in document.text
    assert re.search(r"normal\s*0", summary.text)


def test_an_interval_with_a_negative_end_has_no_dash_for_a_minus(tmp_path):
    one = reading()
    one.vertebrae[0].measures["tilt_deg_interval"] = [-5.0, -1.5]
    text, _ = page(tmp_path, one)
    assert "<small>\N{MINUS SIGN}5.0 to \N{MINUS SIGN}1.5</small>" in text
    assert "<small>23.1\N{EN DASH}25.2</small>" in text


def test_the_signs_of_discs_are_explained_where_there_are_discs(tmp_path):
    one = reading()
    assert "Slips: forward is positive" not in page(tmp_path, one)[1].text
    one.vertebrae[0].measures["disc_below"] = {"name": "L1-L2", "heights_mm": {"middle": 8.0}, "angle_deg": 4.0}
    assert re.findall("<h2>(.*?)</h2>", page(tmp_path, one)[0]) == [
        "Vertebrae",
        "Discs and slips",
        "Angles",
        "Notes on vertebrae",
    ]
    assert "Slips: forward is positive" in page(tmp_path, one)[1].text


def test_pictures_of_one_name_are_told_apart(tmp_path):
    """Cases all bear src-0.png, and are named by their folder; of two IM01 the page's name tells."""
    first, second = reading("a/IM01.dcm"), reading("b/IM01.dcm")
    cases = [reading(f"cases/{name}/src/0/src-0.png") for name in ("t3", "t4")]
    pages = [tmp_path / f"{name}.html" for name in ("IM01", "IM01-3fa2b1c9", "t3", "t4")]
    text, _ = overview(tmp_path / "s.html", dict(zip(pages, [first, second, *cases], strict=True)))
    assert re.findall("<h2>(.*?)</h2>", text) == ["IM01.dcm", "IM01.dcm (IM01-3fa2b1c9)", "t3", "t4"]
    write_page(pages[1], second, PICTURE)
    assert "<title>IM01.dcm (IM01-3fa2b1c9)</title>" in pages[1].read_text(encoding="utf-8")


def test_a_page_says_what_a_minus_before_an_angle_means(tmp_path):
    bent = reading()
    bent.view, bent.angles = "lateral", {"lordosis_l1_l5": -12.84, "lordosis_l1_l5_interval": [-20.0, -5.0]}
    seen = page(tmp_path, bent)[1].text
    assert "\N{MINUS SIGN}12.8\N{DEGREE SIGN} (kyphotic)" in seen
    assert "a lordosis below zero is kyphotic" in seen
    assert "kyphotic" not in page(tmp_path, reading())[1].text  # an AP view: Cobb angles alone
    text, _ = overview(tmp_path / "all.html", {tmp_path / "p.html": bent})
    assert "\N{MINUS SIGN}12.8\N{DEGREE SIGN} (kyphotic)" in text


def test_every_doubtful_slip_of_a_page_has_its_reason(tmp_path):
    """Remarks pass over a slip that may be none; the page then said `doubtful` and not why."""
    column = reading(label="L4")
    column.view, column.vertebrae[1].label = "lateral", "L5"
    disc = {"name": "L4-L5", "listhesis_percent": 9.1, "listhesis_percent_interval": [-2.3, 18.6], "meyerding": None}
    for reason in ({}, {"meyerding_reason": None}, {"meyerding_reason": "one of the two <b> is too long"}):
        column.vertebrae[0].measures["disc_below"] = disc | reason  # earlier versions wrote no reason
        seen = page(tmp_path, column)[1].text
        doubted = bool(reason.get("meyerding_reason"))
        assert ("doubtful" in seen, "Doubtful slips" in seen) == (doubted, doubted)
        assert ("L4-L5: one of the two <b> is too long" in seen) == doubted
