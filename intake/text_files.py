"""Opening a file as text: what is not a text file, or not clearly in one encoding, is not guessed at."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final, TextIO

from sync.contract.problems import ProblemError, UsageError

FILE_BYTES: Final = 200 * 1024 * 1024
"""Longest file."""
FIELD_BYTES: Final = 64 * 1024
"""Longest field."""
MISSING: Final = frozenset({"", "NULL", "null", "NA", "N/A", "#N/A", "NaN", "nan"})
"""What means "no value"."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    # Before UTF-16: the one mark begins with the other.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASKED: Final = ("cp1252", "cp850", "cp437", "latin-1")


def open_text(path: Path, encoding: str = "") -> TextIO:
    """Open ``path``: by its byte order mark, else as ``encoding``, else as strict UTF-8."""
    start = _first_bytes(path)
    marked = next((name for mark, name in _MARKS if start.startswith(mark)), "")
    if marked and encoding and not _is_same(marked, encoding):
        name = marked.upper().removesuffix("-SIG")
        raise ProblemError(
            "ENCODING_MARKED",
            f"{path} begins with the mark of {name}, but --encoding says {encoding}.",
            "Leave --encoding out, or save the file anew.",
        )
    if start.startswith(b"PK\x03\x04"):
        raise ProblemError(
            "FILE_BINARY",
            f"{path} is a workbook or an archive, not a text file.",
            "Save the sheet as CSV UTF-8 and import that.",
        )
    if b"\0" in start and not (marked or encoding).replace("-", "").lower().startswith(("utf16", "utf32")):
        raise _wide_problem(path) if _is_wide(start) else binary_problem(str(path))
    try:
        return path.open(encoding=marked or encoding or "utf-8", errors="strict", newline="")
    except LookupError as error:
        raise _unknown(encoding) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _is_same(marked: str, encoding: str) -> bool:
    """Say whether ``encoding`` is what a file's mark says; raises UsageError when there is none such."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise _unknown(encoding) from error
    return name.removesuffix("-sig").startswith(marked.removesuffix("-sig"))


def _is_wide(start: bytes) -> bool:
    """Say whether nearly every second byte is zero, and no other: two bytes a character, without a mark."""
    zeros = sorted((start[:400:2].count(0), start[1:400:2].count(0)))
    return zeros[0] == 0 and zeros[1] * 4 > len(start[:400])


def _wide_problem(path: Path) -> ProblemError:
    return ProblemError(
        "ENCODING_NEEDED",
        f"{path} looks like UTF-16 without a mark. Nothing has been written.",
        "Add --encoding utf-16-le (or utf-16-be), or save it as CSV in UTF-8.",
    )


def _unknown(encoding: str) -> UsageError:
    return UsageError(
        "ENCODING_UNKNOWN", f"There is no encoding called {shown(encoding)}.", f"Try {', '.join(_ASKED)}."
    )


def _first_bytes(path: Path) -> bytes:
    """Return how the file begins; raises ProblemError for what is no file that can be read."""
    if path.is_dir():
        raise ProblemError("FILE_IS_FOLDER", f"{path} is a folder, not a file.", "Name the files in it.")
    try:
        if not path.is_file():
            raise ProblemError("FILE_UNKNOWN", f"There is no file {path}.", "Check the name and the folder.")
        if path.stat().st_size > FILE_BYTES:
            raise ProblemError(
                "FILE_TOO_LARGE",
                f"{path} is longer than {FILE_BYTES // 1024**2} MB.",
                "Export it in parts; rows of one order must stay in one command.",
            )
        with path.open("rb") as file:
            start = file.read(8192)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not start.strip():
        raise empty_problem(str(path))
    return start


def _unreadable(path: Path, error: Exception) -> ProblemError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ProblemError("FILE_UNREADABLE", f"{path} cannot be read: {why}.", "Check its name and its rights.")


def clean(text: str) -> str:
    """Return a value without blanks around it, empty when it means "no value"."""
    text = text.strip()
    return "" if text in MISSING else text


def shown(text: str) -> str:
    """Return a value as a sentence may quote it: short and without control characters."""
    text = "".join(letter if letter.isprintable() else " " for letter in text[:61])
    return text if len(text) <= 60 else f"{text[:60]}…"


def empty_problem(origin: str) -> ProblemError:
    """Return the problem of a file without a single order in it."""
    return ProblemError("FILE_EMPTY", f"{origin} is empty: no orders in it.", "Export it again.")


def binary_problem(origin: str) -> ProblemError:
    """Return the problem of a file with zero bytes in it."""
    return ProblemError(
        "FILE_BINARY",
        f"{origin} is not a text file (it holds zero bytes).",
        "Export it as CSV or JSON in UTF-8.",
    )


def truncated_problem(origin: str, where: str) -> ProblemError:
    """Return the question that a file with a cut-off end asks."""
    return ProblemError(
        "FILE_TRUNCATED",
        f"{origin} looks truncated: {where}. Nothing has been written.",
        "Export it again, or add --accept-truncated to go on without that end.",
    )


def encoding_problem(path: Path, encoding: str = "") -> ProblemError:
    """Return the question which encoding the file is in, with the first doubtful word in each.

    That an encoding accepts the bytes proves nothing: a person has to look.
    """
    if encoding:
        return ProblemError(
            "ENCODING_WRONG",
            f"{path} is not in {encoding}.",
            "Leave --encoding out to see how it reads in others.",
        )
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                if error.end == len(line) and "end of data" in error.reason and not file.read(1):
                    return ProblemError(
                        "FILE_TRUNCATED",
                        f"{path} looks truncated: its last character is cut. Nothing has been written.",
                        "Export it again.",
                    )
                word = _word_at(line, error.start)
                readings = {name: word.decode(name, "replace") for name in _ASKED}
                quoted = ", ".join(f"“{reading}” in {name}" for name, reading in readings.items())
                likely = next(name for name, reading in readings.items() if "\ufffd" not in reading)
                return ProblemError(
                    "ENCODING_NEEDED",
                    f"{path} is not in UTF-8: a word in line {number} reads {quoted}. "
                    "Nothing has been written.",
                    f"Add --encoding with the one that reads right, for instance --encoding {likely}.",
                )
    return ProblemError("ENCODING_NEEDED", f"{path} is not in UTF-8.", "Say which it is in: --encoding.")


def _word_at(line: bytes, place: int) -> bytes:
    """Return the one word around ``place``; its neighbours may be nobody's business."""
    ends = re.compile(rb"[\s,;|\"']")
    start = max((found.end() for found in ends.finditer(line, 0, place)), default=0)
    end = found.start() if (found := ends.search(line, place)) else len(line)
    return line[max(start, place - 30) : min(end, place + 30)]
