"""A request's body as a value, or one sentence that names the place where it is wrong.

``[3].lines[0].quantity`` in a list of orders is ``orders[3].lines[0].quantity``. A sentence never quotes what
was sent: it could be somebody's address, or a number that must not be kept anywhere.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec

from sync.contract.problems import ProblemError

T = TypeVar("T")

_WORDS: Final = {
    "int": "a whole number",
    "str": "a text",
    "bool": "true or false",
    "float": "a number with a fraction",
    "null": "null",
    "object": "an object",
    "array": "a list",
}
_PLACE: Final = re.compile(r"^(?P<what>.*?)(?: - at `(?:key in )?\$(?P<place>.*)`)?$", re.DOTALL)
_UNLISTED: Final = "is none of the values that there are"
_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"Expected `\w+` of length >= 1$"), "must not be empty"),
    (re.compile(r"Expected `str` of length <= (\d+)$"), "must have at most {0} characters"),
    (re.compile(r"Expected `array` of length <= (\d+)$"), "must have at most {0} entries"),
    (re.compile(r"Expected `\w+` >= (-?\d+)$"), "must be at least {0}"),
    (re.compile(r"Expected `\w+` <= (-?\d+)$"), "must be at most {0}"),
    (re.compile(r"Expected `str` matching regex"), "must begin with a letter or digit and have no blanks"),
    (re.compile(r"Invalid (enum )?value"), _UNLISTED),
)
_FIELD: Final = re.compile(r"Object (missing required|contains unknown) field `(.*)`$", re.DOTALL)
_TYPE: Final = re.compile(r"Expected `([^`]+)`, got `([^`]+)`$")
NAME_CHARACTERS: Final = 60
"""Longest name of an unknown field that is repeated."""


class MisplacedError(ValueError):
    """Something in a body that is wrong, and where: ``place`` grows on the way out."""

    def __init__(self, place: str, words: str) -> None:
        """``place`` is wrong in the way of ``words`` ("must be …")."""
        super().__init__(words)
        self.place = place
        self.words = words

    def within(self, place: str) -> MisplacedError:
        """Return the same, seen from outside of ``place``."""
        return MisplacedError(_joined(place, self.place), self.words)

    def problem(self, whole: str) -> ProblemError:
        """Return what the caller is told."""
        helps = {"what_to_do": "GET /openapi.json lists them."} if self.words == _UNLISTED else {}
        return bad_request(f"{_capital(self.place or whole)} {self.words}.", **helps)


def bad_request(sentence: str, what_to_do: str = "Correct it and send it again.") -> ProblemError:
    """Return the refusal of a request that makes no sense."""
    return ProblemError("BAD_REQUEST", sentence, what_to_do)


def decoded(body: bytes, kind: type[T] | Any, many: str, whole: str = "the body") -> T:  # noqa: ANN401
    """Return ``body`` as ``kind``; entries of a list at the top are called ``many[0]`` and so on.

    Raises ``ProblemError`` with the code BAD_REQUEST.
    """
    try:
        value: T = msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _misplaced(str(error), many).problem(whole) from error
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise bad_request("The body is not JSON in UTF-8.") from error
    return value


def converted(value: object, kind: type[T], whole: str) -> T:
    """Return plain values (a query) as ``kind``; raises ``ProblemError`` with the code BAD_REQUEST."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _misplaced(str(error), "").problem(whole) from error


def _misplaced(message: str, many: str) -> MisplacedError:
    found = _PLACE.match(message)
    what, place = (found["what"], found["place"] or "") if found else (message, "")
    place = f"{many}{place}" if place.startswith("[") else place.removeprefix(".")
    if (field := _FIELD.match(what)) is not None:
        words = "is missing" if field[1] == "missing required" else "is not known here"
        return MisplacedError(_joined(place, field[2][:NAME_CHARACTERS]), words)
    if (kinds := _TYPE.match(what)) is not None:
        return MisplacedError(place, f"must be {_kind(kinds[1])}, not {_kind(kinds[2])}")
    for pattern, words in _RULES:
        if (rule := pattern.match(what)) is not None:
            return MisplacedError(place, words.format(*rule.groups()))
    return MisplacedError(place, "is not what is taken here")


def _joined(outer: str, inner: str) -> str:
    return f"{outer}{'' if inner.startswith('[') or not outer or not inner else '.'}{inner}"


def _kind(names: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in names.split(" | "))


def _capital(text: str) -> str:
    """Return a sentence's first words; the name of a field stays as it is written."""
    return text[:1].upper() + text[1:] if " " in text else text
