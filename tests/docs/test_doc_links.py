"""Every relative link of the documentation leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def _anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of ``page`` make."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def _dead_links(page: Path) -> list[str]:
    """Return the relative links of ``page`` whose file or heading is not there."""
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        goal = (page.parent / path).resolve() if path else page
        if not goal.exists() or (anchor and anchor not in _anchors(goal)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """A file that was renamed, or a heading that was reworded, takes its links along."""
    assert _dead_links(page) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    """A missing file, a missing heading in another page, and one in the same page."""
    other, page = tmp_path / "other.md", tmp_path / "page.md"
    other.write_text("# What it *is*\n")
    page.write_text(
        "# Here\n[a](other.md) [b](other.md#what-it-is) [c](#here) [d](https://example.com)\n"
        "[e](gone.md) [f](other.md#gone) [g](#gone)\n"
    )
    assert _dead_links(page) == ["gone.md", "other.md#gone", "#gone"]
