import pytest
from pydicom.dataset import Dataset

from spinetk.errors import InputError
from spinetk.node.rule import Rule, default_rules
from spinetk.node.settings import NodeSettings, read_settings


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


@pytest.mark.parametrize("text", ["", "modality", "modalty=DX", "=DX"])
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
    ],
)
def test_settings_that_cannot_be_used_are_one_line(tmp_path, line, said):
    file = tmp_path / "node.toml"
    file.write_text("dry_run = true\n" + line if "dry_run" not in line else line)
    with pytest.raises(InputError, match=said) as caught:
        read_settings(file, {})
    assert "\n" not in str(caught.value)


def test_strangers_are_let_in_on_loopback_only():
    assert NodeSettings(dry_run=True, host="::1").checked()
    assert NodeSettings(dry_run=True, host="0.0.0.0", allow=("PACS",)).checked()
    for host in ("0.0.0.0", "10.0.0.7", "hospital"):
        with pytest.raises(InputError, match="from anyone"):
            NodeSettings(dry_run=True, host=host).checked()


def test_a_node_that_sends_nowhere_says_so():
    with pytest.raises(InputError, match="send-to"):
        NodeSettings().checked()
