"""Copies: a program that has imported what ``spinetk serve`` needs and becomes it as often as it is asked.

Each line of its input is ``["run", ARGUMENTS, FIFO, FOLDER]``, answered by the number of the process that runs
``spinetk ARGUMENTS``, writes to the FIFO and has its temporary files in the folder, or ``["wait", NUMBER]``, answered
by its exit code. A copy spares the second of processor that each program of its own spends on imports.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile

from spinetk.__main__ import main
from spinetk.review import exporting, importing

for module in ("spinetk.cli", "spinetk.keypoints.reader", "spinetk.review.server"):
    importlib.import_module(module)
exporting.choices(), importing.choices()

for line in sys.stdin:
    what, asked, *more = json.loads(line)
    if what == "wait":
        print(os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1]))
    elif number := os.fork():
        print(number)
    else:
        os.environ["TMPDIR"] = tempfile.tempdir = more[1]
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored
        said, nothing = os.open(more[0], os.O_WRONLY), os.open(os.devnull, os.O_RDONLY)
        for own, other in ((nothing, 0), (said, 1), (said, 2)):
            os.dup2(own, other)
        sys.argv = ["spinetk", *asked]
        main()
        break
