"""A few members of an archive, read as the standard library reads them."""

from __future__ import annotations

import io
from importlib import resources
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest

from widgets.theme.archive import read_members
from widgets.theme.icons import ICON_NAMES


def _zipped(members: dict[str, bytes], compression: int, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [ZIP_STORED, ZIP_DEFLATED])
def test_members_are_found_by_their_whole_name(compression: int) -> None:
    """A name that ends or begins another one, or stands in a content, is not taken for it."""
    members = {"big-x.svg": b"x.svg big", "x.svg": b"small", "x.svg.bak": b"old", "deep/x.svg": b"deep"}
    archive = _zipped(members, compression, comment=b"x.svg")
    assert read_members(archive, ["x.svg", "x.svg.bak"]) == {"x.svg": b"small", "x.svg.bak": b"old"}


def test_a_missing_member_is_named() -> None:
    """As in a dict."""
    with pytest.raises(KeyError, match="none"):
        read_members(_zipped({"x.svg": b""}, ZIP_STORED), ["none.svg"])


def test_something_else_is_no_archive() -> None:
    """Said at once, instead of a strange byte later."""
    with pytest.raises(ValueError, match="no zip"):
        read_members(b"hello", ["x.svg"])


def test_our_icons_are_what_the_standard_library_reads() -> None:
    """Every icon in use, byte for byte."""
    data = (resources.files("lucide") / "lucide.zip").read_bytes()
    names = [f"{name}.svg" for name in ICON_NAMES]
    with ZipFile(io.BytesIO(data)) as archive:
        assert read_members(data, names) == {name: archive.read(name) for name in names}
