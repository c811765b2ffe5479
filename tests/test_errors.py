"""Errors: one line, however long what it quotes is."""

from spinetk.errors import InputError


def test_what_is_quoted_of_a_file_does_not_fill_the_screen():
    error = InputError("film.json", f"landmark {'a' * 10_000!r} is unknown", "known are s1, femoral_head")
    assert str(error).startswith("film.json: landmark 'aaa")
    assert str(error).endswith("a' is unknown (known are s1, femoral_head)")
    assert " ... " in str(error)
    assert len(str(error)) < 600
    assert str(InputError("a", "b" * 1000)) == "a: " + "b" * 1000
