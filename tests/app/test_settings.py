"""The table of settings: who wins, what is locked, what is wrong."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import LoadedSettings, Origin, Settings, Value, load_settings, remember
from app.settings_text import settings_json, settings_text
from support.repository import ROOT


def _load(
    tmp_path: Path,
    user: dict[str, object] | None = None,
    managed: dict[str, object] | None = None,
    typed: dict[str, object] | None = None,
) -> LoadedSettings:
    files = {"user.json": user, "policies.json": managed}
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    return load_settings(tmp_path / "user.json", tmp_path / "policies.json", typed)


def _value(loaded: LoadedSettings, name: str) -> Value:
    return next(value for value in loaded.table if value.name == name)


def test_without_files_every_setting_has_its_default(tmp_path: Path) -> None:
    """Nobody has to write a file to start."""
    loaded = _load(tmp_path)
    assert loaded.settings == Settings()
    assert {value.origin for value in loaded.table} == {Origin.DEFAULT}
    assert loaded.problems() == ()


def test_later_places_win_and_a_managed_value_is_locked(tmp_path: Path) -> None:
    """Default, person, command line, IT: in this order, and what IT says nobody changes."""
    loaded = _load(
        tmp_path, {"theme": "dark", "text_scale": 150}, {"theme": "high_contrast"}, {"theme": "light"}
    )
    assert loaded.settings.theme == "high_contrast"
    assert _value(loaded, "theme").is_locked
    assert loaded.is_locked("theme")
    assert _value(loaded, "text_scale") == Value(
        "text_scale", 150, Origin.USER, is_locked=False, words=_value(loaded, "text_scale").words
    )


def test_the_command_line_beats_the_person(tmp_path: Path) -> None:
    """What is typed counts for this start."""
    assert _load(tmp_path, {"theme": "dark"}, None, {"theme": "light"}).settings.theme == "light"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "pink"),
        ("theme", 3),
        ("text_scale", 99),
        ("text_scale", True),
        ("is_kiosk", "yes"),
        ("seconds_per_line", 0),
        ("log_bytes", -1),
        ("server_url", "ftp://somewhere"),
        ("station", None),
    ],
)
def test_a_value_that_cannot_be_used_is_left_out_and_told(tmp_path: Path, name: str, value: object) -> None:
    """The default stays, and the person reads which setting and why."""
    loaded = _load(tmp_path, {name: value})
    assert getattr(loaded.settings, name) == getattr(Settings(), name)
    assert _value(loaded, name).error
    (problem,) = loaded.problems()
    assert name in problem.sentence


def test_a_whole_number_is_a_number(tmp_path: Path) -> None:
    """Nobody has to write 30.0 for 30 seconds."""
    assert _load(tmp_path, {"seconds_per_line": 30}).settings.seconds_per_line == 30.0


def test_a_setting_is_not_taken_from_a_place_where_it_is_not_set(tmp_path: Path) -> None:
    """Where a window was is this person's business."""
    loaded = _load(tmp_path, None, {"window": "1,2,3,4"})
    assert loaded.settings.window == ""
    assert "not set there" in _value(loaded, "window").error


def test_an_unknown_name_is_told(tmp_path: Path) -> None:
    """A slip of the pen in a policy file does not pass in silence."""
    loaded = _load(tmp_path, None, {"thema": "dark"})
    assert [problem.code for problem in loaded.problems()] == ["SETTING_UNUSABLE"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_counts_as_empty_and_is_told(tmp_path: Path, content: bytes) -> None:
    """The program starts with its defaults whatever is in the file."""
    (tmp_path / "user.json").write_bytes(content)
    loaded = _load(tmp_path)
    assert loaded.settings == Settings()
    assert [problem.code for problem in loaded.problems()] == ["SETTINGS_UNREADABLE"]


def test_what_is_remembered_is_read_again_and_other_names_stay(tmp_path: Path) -> None:
    """A newer release's names survive an older one."""
    file = tmp_path / "user.json"
    file.write_text('{"later": 1}', encoding="utf-8")
    assert remember(file, {"theme": "dark"})
    assert json.loads(file.read_text(encoding="utf-8")) == {"later": 1, "theme": "dark"}
    assert load_settings(file, tmp_path / "none").settings.theme == "dark"


def test_a_damaged_file_is_put_aside_before_it_is_written(tmp_path: Path) -> None:
    """What somebody wrote by hand is theirs to mend."""
    file = tmp_path / "user.json"
    file.write_text("{theme: dark", encoding="utf-8")
    assert remember(file, {"theme": "dark"})
    assert (tmp_path / "user.damaged").read_text(encoding="utf-8") == "{theme: dark"


def test_a_disk_that_refuses_is_no_fault(tmp_path: Path) -> None:
    """Remembering is a comfort; the program goes on without."""
    assert not remember(tmp_path / "missing" / "user.json", {"theme": "dark"})


def test_both_listings_name_every_setting_with_its_source(tmp_path: Path) -> None:
    """IT reads in one place what counts, and why."""
    loaded = _load(tmp_path, {"theme": "pink"}, {"station": "Dock 3"})
    text = settings_text(loaded)
    rows = {row["name"]: row for row in json.loads(settings_json(loaded))["settings"]}
    assert set(rows) == {field.name for field in fields(Settings)}
    assert all(name in text for name in rows)
    assert rows["station"]["source"] == "managed"
    assert rows["station"]["is_locked"] is True
    assert "pink" in rows["theme"]["error"]


def test_the_documentation_has_a_row_for_every_setting() -> None:
    """docs/settings.md names each setting, its default and its meaning."""
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].strip().strip("`"): line for line in text.splitlines() if line.startswith("| `")
    }
    assert set(rows) == {field.name for field in fields(Settings)}
    for field in fields(Settings):
        assert field.metadata["words"] in rows[field.name]
        assert json.dumps(field.default) in rows[field.name]
        for origin in field.metadata["origins"]:
            assert origin.value in rows[field.name]


@pytest.mark.parametrize(
    "address",
    [
        "http://a b",
        "http://ann:secret@10.0.0.1:8440",
        "http://[::1",
        "http://..",
        "http://a..b",
        "http://%00",
        "http://10.0.0.1:8440?x=1",
        "http://10.0.0.1:",
        "http://::1:8440",
        "http://:8440",
        "http://10.0.0.1:٣",
        "http://10.0.0.1\n",
    ],
)
def test_what_cannot_be_an_address_is_told_before_anything_is_asked(tmp_path: Path, address: str) -> None:
    """Names and passwords in it, too: they would be sent in the place of the sign-in."""
    loaded = _load(tmp_path, {"server_url": address})
    assert loaded.settings.server_url == ""
    assert _value(loaded, "server_url").error


@pytest.mark.parametrize(
    "address",
    ["http://hall", "https://kanban.example.org/board", "http://[::1]:8440", "http://10.0.0.1:8440/"],
)
def test_addresses_of_every_shape_are_taken(tmp_path: Path, address: str) -> None:
    """With and without a port, behind a path of a proxy, IPv6 in brackets."""
    assert _load(tmp_path, {"server_url": address}).settings.server_url == address
