import pytest

from spinetk.errors import InputError
from spinetk.pacs import is_address, parse_address


def test_a_dicomweb_address():
    text = "dicomweb+https://user:p%40ss@pacs.org/a/dicom-web/studies/1.2/series/3.4?Modality=DX&StudyDate=20250101-"
    address = parse_address(text)
    assert (address.host, address.port, address.path) == ("pacs.org", 443, "/a/dicom-web")
    assert (address.user, address.password) == ("user", "p@ss")
    assert address.uids == ("1.2", "3.4")
    assert address.query == (("Modality", "DX"), ("StudyDate", "20250101-"))
    assert address.url == "https://pacs.org:443/a/dicom-web"
    assert parse_address(address.at("1.2", "3.4", "5")).uids == ("1.2", "3.4", "5")


def test_a_dimse_address():
    address = parse_address("dicom://PACS@[::1]:4242/studies?PatientID=7")
    assert (address.aet, address.host, address.port) == ("PACS", "::1", 4242)
    assert address.query == (("PatientID", "7"),)
    assert str(address) == "dicom://PACS@[::1]:4242"
    assert parse_address("dicoms://PACS@host").port == 11112
    assert parse_address("dicoms://PACS@host").is_secure


def test_what_may_name_a_patient_or_open_a_door_is_not_shown():
    address = parse_address("dicomweb+http://user:secret@h/dicom-web/studies?PatientName=PLANTED*")
    for text in (str(address), repr(address), address.at("1.2")):
        assert "PLANTED" not in text
        assert "secret" not in text


@pytest.mark.parametrize(
    "text",
    [
        "http://h/studies",
        "dicomweb+http:///studies",
        "dicomweb+http://h/studies/PLANTED^NAME",
        "dicomweb+http://h/studies/1.2/instances/3",
        "dicomweb+http://h/studies?Patientname=PLANTED",
        "dicomweb+http://h:port/studies",
        "dicom://host:104",
        "dicom://A-TITLE-MUCH-TOO-LONG@host",
        "dicom://PACS@host/dicom-web",
    ],
)
def test_what_is_no_address_is_one_line(text):
    with pytest.raises(InputError) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)
    assert "=PLANTED" not in str(caught.value)


def test_files_are_no_addresses():
    assert is_address("dicomweb+http://h/studies")
    for path in ("a.dcm", "/tmp/dicom://", "C:\\dicom", "dicom"):
        assert not is_address(path)
