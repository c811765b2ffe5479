"""Quiet while files are read, also where several threads of a server read at once."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager

import pytest

from spinetk.images.guard import quiet, silent_stderr


def goes_nowhere() -> bool:
    return os.path.samestat(os.fstat(2), os.stat(os.devnull))


@contextmanager
def standard_error(path):
    """A file as standard error, within the test: pytest has its own before and after."""
    kept = os.dup(2)
    with open(path, "wb") as stream:
        os.dup2(stream.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_standard_error_comes_back_when_the_last_has_ended(tmp_path):
    """Ended in the order they began, as two threads may: each put back what it had found, the second the silence."""
    file = tmp_path / "stderr"
    with standard_error(file):
        first, second = silent_stderr(), silent_stderr()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        seen = [goes_nowhere()]
        second.__exit__(None, None, None)
        seen.append(os.path.samestat(os.fstat(2), file.stat()))
        with pytest.raises(KeyError), silent_stderr():
            raise KeyError
        seen.append(os.path.samestat(os.fstat(2), file.stat()))
    assert seen == [True] * 3


def test_no_warning_and_no_line_gets_out_while_another_reads_on(caplog, pydicom_log):
    log, seen = pydicom_log, []
    before = warnings.filters[:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first, second = quiet(), quiet()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        log.warning("Doe^John")
        warnings.warn("Doe^John", stacklevel=1)
        seen += caught
        second.__exit__(None, None, None)
        log.warning("heard again")
        warnings.warn("heard again", stacklevel=1)
        seen += caught
    assert [str(one.message) for one in seen] == ["heard again"]
    assert [record.getMessage() for record in caplog.records] == ["heard again"]
    assert warnings.filters == before
