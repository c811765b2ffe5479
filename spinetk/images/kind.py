"""What kind of file it is, from its first bytes."""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path

HEAD_BYTES = 512
VOLUMES = ("nifti", "nrrd", "metaimage")
"""Kinds of files that hold a grid of voxels."""
PLAIN = ("png", "jpeg", "tiff", "bmp")
"""Kinds of plain pictures."""
REFUSED = {b"GIF8": "GIF", b"RIFF": "WebP or AVI", b"\0\0\0\x0cjP": "JPEG 2000", b"%PDF": "PDF"}
"""How files begin that people take for pictures to be read, and what they are."""
BMP_HEADERS = (12, 40, 52, 56, 64, 108, 124)
"""Lengths of the header of a BMP, which tell it from other files that begin with BM."""
META = re.compile(rb"\s*(ObjectType|ObjectSubType|NDims|Comment|Name|ID)\s*=")
"""How the header of a MetaImage begins."""


def sniff(path: Path) -> str:
    """What the first bytes say the file is: ``dicom`` when nothing else fits (it need not have a preamble)."""
    with open(path, "rb") as stream:
        head = stream.read(HEAD_BYTES)
    if head[128:132] == b"DICM":
        return "dicom"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "tiff"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in BMP_HEADERS:
        return "bmp"
    if head.startswith(b"NRRD"):
        return "nrrd"
    if META.match(head):
        return "metaimage"
    if head.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as packed:  # the first member may be shorter than a header
                head = packed.read(HEAD_BYTES)
        except (zlib.error, OSError, EOFError):
            head = b""
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:12] in (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"):
        return "nifti"
    return "dicom"
