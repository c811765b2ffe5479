from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from spinetk.errors import InputError
from spinetk.node.rule import Rule, default_rules
from spinetk.node.settings import NodeSettings, read_settings
from spinetk.pacs.tls import Tls


def header(**tags):
    data = Dataset()
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    return data


@pytest.mark.parametrize(
    ("text", "tags", "fits"),
    [
        ("modality=DX,CR", {"Modality": "CR"}, True),
        ("modality=DX,CR", {"Modality": "MR"}, False),
        ("modality=DX", {}, False),
        ("body_part=*spine*", {"BodyPartExamined": "LSPINE"}, True),
        ("body_part=*SPINE*", {"BodyPartExamined": "CHEST"}, False),
        ("body_part=*SPINE*,-", {}, True),
        ("view=LL,RL", {"ViewPosition": "LL"}, True),
        ("modality=CR view=LL", {"Modality": "CR", "ViewPosition": "AP"}, False),
        ("series_description=t2 * sag*", {"SeriesDescription": "T2 TSE SAG fs"}, True),
        ("series_description=t2*", {"SeriesDescription": "STIR SAG"}, False),
    ],
)
def test_a_rule_fits_by_every_field(text, tags, fits):
    assert Rule.parse(text).matches(header(**tags)) is fits


@pytest.mark.parametrize("text", ["", "modality", "modalty=DX", "=DX", "modality=DX view=LL modality=CR"])
def test_what_is_no_rule_is_said(text):
    with pytest.raises(InputError, match="rule"):
        Rule.parse(text)


def test_without_rules_spines_are_read_and_chests_are_not():
    (rule,) = default_rules()
    assert rule.matches(header(Modality="DX", BodyPartExamined="CSPINE"))
    assert not rule.matches(header(Modality="DX", BodyPartExamined="CHEST"))
    assert not rule.matches(header(Modality="DX"))


def test_settings_of_a_file_and_of_the_command_line(tmp_path):
    file = tmp_path / "node.toml"
    file.write_text(
        'aet = "READER"\nport = 104\nallow = ["PACS"]\nsend_to = "dicom://PACS@10.0.0.5:104"\n'
        'results = ["sr", "points"]\n[[rule]]\nmodality = ["DX"]\nbody_part = "*SPINE*"\n[[rule]]\nmodality = "MR"\n'
    )
    settings = read_settings(file, {"port": 11113, "aet": None})
    assert (settings.aet, settings.port, settings.allow) == ("READER", 11113, ("PACS",))
    assert settings.results == ("sr", "points")
    assert [str(rule) for rule in settings.rules] == ["modality=DX body_part=*SPINE*", "modality=MR"]
    assert (settings.send_to.aet, settings.send_to.host, settings.send_to.port) == ("PACS", "10.0.0.5", 104)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("prot = 104", "unknown setting 'prot'"),
        ('port = "104"', "wrong kind for 'port'"),
        ("dry_run = 1", "wrong kind for 'dry_run'"),
        ('results = ["pdf"]', "'pdf'"),
        ('send_to = "http://pacs"', "not the address"),
        ('aet = "A TITLE LONGER THAN 16"', "AE title"),
        ("[[rule]]\n", "empty rule"),
        ("[[rule]]\ncolour = 'red'", "unknown field 'colour'"),
        ("port =", "TOML"),
        ("port = 65536", "--port 65536: is no port"),
        ("port = -1", "--port -1: is no port"),
        ("threshold = 1.01", "--threshold 1.01: is not in 0..1"),
        ("threshold = -0.01", "--threshold -0.01: is not in 0..1"),
        ("settle_s = -0.5", "settle_s: -0.5 is out of range"),
        ("keep_hours = nan", "keep_hours: nan is out of range"),
        ('tls_certificate = "a.pem"', "needs a certificate and its key"),
        ('tls_key = "a.pem"', "needs a certificate and its key"),
        ('view = "sideways"', "--view sideways: is unknown"),
        ("results = []", "--result: is empty"),
        ('allow = "PACS"', "wrong kind for 'allow'"),
        ("port = true", "wrong kind for 'port'"),
        ("rules = []", "unknown setting 'rules'"),
        ("rule = 3", r"no \[\[rule\]\] table"),
        ("[rule]", r"no \[\[rule\]\] table"),
        ("[[rule]]\nmodality = 3", "no text or list of texts in 'modality'"),
        ("[[rule]]\nmodality = []", "no text or list of texts in 'modality'"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(tmp_path, line, said):
    file = tmp_path / "node.toml"
    file.write_text("dry_run = true\n" + line if "dry_run" not in line else line)
    with pytest.raises(InputError, match=said) as caught:
        read_settings(file, {})
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


def test_strangers_are_let_in_on_loopback_only():
    assert NodeSettings(dry_run=True, host="::1").checked()
    assert NodeSettings(dry_run=True, host="0.0.0.0", allow=("PACS",)).checked()
    for host in ("0.0.0.0", "10.0.0.7", "hospital"):
        with pytest.raises(InputError, match="from anyone"):
            NodeSettings(dry_run=True, host=host).checked()


def test_a_node_that_sends_nowhere_says_so():
    with pytest.raises(InputError, match="send-to"):
        NodeSettings().checked()


@pytest.mark.parametrize("title", ["", " ", "A" * 17, "B\N{LATIN SMALL LETTER E WITH ACUTE}", "A\\B", "A\tB"])
def test_what_is_no_title_is_refused_of_the_node_and_of_those_who_may_call(title):
    for settings in ({"aet": title}, {"allow": ("PACS", title)}):
        with pytest.raises(InputError, match="is not 1 to 16 plain characters"):
            NodeSettings(dry_run=True, **settings).checked()
    assert NodeSettings(dry_run=True, aet="A" * 16, allow=("B",)).checked()


def test_the_bounds_of_settings_belong_to_them():
    for settings in (
        {"port": 0},
        {"port": 65535},
        {"settle_s": 0},
        {"keep_hours": 0},
        {"threshold": 0},
        {"threshold": 1},
    ):
        assert NodeSettings(dry_run=True, **settings).checked()


def test_every_setting_of_a_file_arrives(tmp_path):
    """Each differs from what it is by default, and from each other."""
    lines = (
        'folder = "f"\naet = "A"\nhost = "localhost"\nport = 1\nallow = ["C"]\nsend_to = "dicom://D@e:5"',
        'results = ["points"]\nmodel = "m"\nview = "lateral"\nthreshold = 0.3\ndevice = "cpu"',
        'tls_certificate = "c.pem"\ntls_key = "k.pem"\ntls_authority = "a.pem"',
        "dry_run = true\nsettle_s = 2\nkeep_hours = 3.5",
    )
    (tmp_path / "node.toml").write_text("\n".join(lines))
    found = read_settings(tmp_path / "node.toml", {})
    assert (found.folder, found.aet, found.host, found.port) == (Path("f"), "A", "localhost", 1)
    assert (found.allow, found.results, found.model, found.view) == (("C",), ("points",), "m", "lateral")
    assert (found.send_to.aet, found.send_to.host, found.send_to.port) == ("D", "e", 5)
    assert (found.threshold, found.device, found.dry_run) == (0.3, "cpu", True)
    assert (found.settle_s, found.keep_hours) == (2, 3.5)
    assert found.tls == Tls(Path("c.pem"), Path("k.pem"), Path("a.pem"))
    given = {"folder": "g", "dry_run": True, "rules": [Rule.parse("view=LL")], "send_to": "dicom://X@y:6"}
    over = read_settings(tmp_path / "node.toml", given | {"port": None})
    assert (over.folder, over.port, str(over.rules[0]), over.send_to.aet) == (Path("g"), 1, "view=LL", "X")
    assert read_settings(None, {"dry_run": True}) == NodeSettings(dry_run=True)
