"""docs/import.md says what the importer takes: options, fields, mappings; its example works."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from intake.mapping import LINE_FIELDS, ORDER_FIELDS, Mapping, Shelf, load
from server.modules import demo, imports
from server.registration import Command
from support.imports import import_files
from support.repository import ROOT

PAGE = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [*imports.MODULE.commands, *demo.MODULE.commands], ids=lambda c: c.name)
def test_every_option_is_documented(command: Command) -> None:
    """Each option of import and demo stands on the page."""
    parser = argparse.ArgumentParser()
    command.configure(parser)
    options = [word for action in parser._actions for word in action.option_strings if word.startswith("--")]
    assert [word for word in options if word != "--help" and word not in PAGE] == []


def test_every_field_key_and_mapping_is_documented() -> None:
    """What a mapping may say, and which ones ship."""
    words = [*ORDER_FIELDS, *LINE_FIELDS, *Shelf.shipped().names]
    assert [word for word in words if f"`{word}`" not in PAGE] == []
    assert [
        key for key in Mapping.__struct_fields__ if f"{key} =" not in PAGE and f"[{key}" not in PAGE
    ] == []


def test_the_mapping_of_the_page_works(tmp_path: Path) -> None:
    """The example reads a file as it says."""
    mapping = load(PAGE.split("```toml\n")[1].split("```")[0].encode(), "docs/import.md")
    path = tmp_path / "shop.csv"
    path.write_text("Ref,Company,Name,City,Article,Qty\n7,,Ada,Bath,POSTAGE,1\n", encoding="utf-8")
    (order,) = import_files(path, shelf=Shelf([mapping])).orders
    assert (order.customer, order.ship_to.city, order.lines[0].requires_picking) == ("Ada", "Bath", False)
