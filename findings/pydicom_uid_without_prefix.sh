#!/usr/bin/env bash
# pydicom 3.0.2: generate_uid(prefix=None, entropy_srcs=[...]) takes no notice of the entropy, and says nothing.
#
# entropy_srcs makes UIDs repeatable: the same sources give the same UID. prefix=None asks for a UID of the form 2.25.<UUID>
# (PS3.5 B.2), which needs no registered root. The two together look like repeatable UIDs under 2.25, and are random ones:
# a program that relies on them to store a result once stores it anew with every run.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check pydicom==3.0.2
"$work/env/bin/python" -W error - <<'END'
from pydicom.uid import generate_uid

usual = {generate_uid(entropy_srcs=["picture", "model"]) for _ in range(5)}
without = {generate_uid(prefix=None, entropy_srcs=["picture", "model"]) for _ in range(5)}
print("with the usual prefix:", len(usual), "UID; with prefix=None:", len(without), "UIDs, such as", sorted(without)[0][:12])
assert len(usual) == 1 and len(without) == 5
END
echo "as stated: repeatable with a prefix, random without, no warning"
