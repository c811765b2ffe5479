"""Faults: an error in the words of the page. The command line's remedies name options that the page has buttons for."""

from __future__ import annotations

import re

from spinetk.errors import InputError

# What the command line advises, and what does the same on the page; the first that fits is taken.
ON_THE_PAGE = (
    (re.compile(r"--view\b"), "choose the view beside the picture"),
    (re.compile(r"--(spacing|pixel-spacing|spacing-mm)\b"), "write the pixel size beside the picture"),
    (re.compile(r"--(facing|anterior)\b"), "use Front faces beside the picture"),
    (re.compile(r"--(slice|slices|slice-choice)\b"), "choose a slice with the slider"),
    (re.compile(r"--(threshold|score|confidence)\b"), "lower the confidence under Predict"),
    (re.compile(r"--(model|weights)\b"), "choose another model under Predict"),
)
COMMAND_LINE = re.compile(r"(?<![\w-])--[a-z]|`?\bspinetk [a-z]+|\b(eval_img|run\.py|install\.sh|pip install)\b")
ASIDE = re.compile(r" \([^()]*(?:--[a-z]|`spinetk )[^()]*\)")


def in_words_of_the_page(error: InputError) -> dict[str, str]:
    """``error``, ``remedy`` and ``source`` of an error, for the browser.

    The source is the file without its folder: the browser need not know where things lie.
    """
    source = error.source.replace("\\", "/").rpartition("/")[2]
    return {"error": plain(error.fault), "remedy": remedy_on_the_page(error.remedy), "source": source}


def remedy_on_the_page(remedy: str) -> str:
    """A remedy without options and commands; empty where the page has nothing like it."""
    if not COMMAND_LINE.search(remedy):
        return remedy
    return next((words for pattern, words in ON_THE_PAGE if pattern.search(remedy)), "")


def plain(sentence: str) -> str:
    """A sentence without the asides that name options and commands of the terminal."""
    return ASIDE.sub("", sentence)


def line(error: InputError) -> str:
    """An error as one line of a list."""
    said = in_words_of_the_page(error)
    return said["error"] + (f" ({said['remedy']})" if said["remedy"] else "")
