"""Items of structured reports of other programs, as data sets written by hand (PS3.3 C.18.6)."""

from pydicom.dataset import Dataset


def code(value, meaning, scheme="DCM"):
    one = Dataset()
    one.CodeValue, one.CodingSchemeDesignator, one.CodeMeaning = value, scheme, meaning
    return [one]


def item(kind, *children, **fields):
    one = Dataset()
    one.ValueType = kind
    for name, value in fields.items():
        setattr(one, name, value)
    if children:
        one.ContentSequence = list(children)
    return one


def region(kind, points, name="Image Region", frame=None):
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = "1.2.3"
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    image = item("IMAGE", ReferencedSOPSequence=[reference])
    flat = [float(v) for point in points for v in point]
    return item("SCOORD", image, GraphicType=kind, GraphicData=flat, ConceptNameCodeSequence=code("111030", name))


def group(text, *regions):
    tracking = item("TEXT", TextValue=text, ConceptNameCodeSequence=code("112039", "Tracking Identifier"))
    return item("CONTAINER", tracking, *regions, ConceptNameCodeSequence=code("125007", "Measurement Group"))
