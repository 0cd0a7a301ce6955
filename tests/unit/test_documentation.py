"""Every page of the documentation begins as readers expect, and every link between pages leads somewhere."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (".ci", "asterisk-conf", "bench", "bridge", "docker", "docs", "examples", "tests")
TEXTS = {".conf", ".ini", ".md", ".py", ".service", ".sh", ".toml", ".yaml"}

FILES = [
    file
    for folder in (ROOT, *(ROOT / name for name in FOLDERS))
    for file in sorted(folder.glob("*") if folder == ROOT else folder.rglob("*"))
    if file.is_file() and (file.suffix in TEXTS or file.name == "Makefile")
]
PAGES = [file for file in FILES if file.suffix == ".md"]
DOCS = [page for page in PAGES if ROOT / "docs" in page.parents]

_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_PATH_OF_A_PAGE = re.compile(r"\bdocs/[\w./-]+\.(?:md|service)\b")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def prose(page: Path) -> str:
    """What stands outside of fenced code."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Those that GitHub gives to headings: a second one of the same words gets ``-1``, and so on."""
    found, seen = set(), Counter[str]()
    for heading in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", _LINK.sub("", heading).lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_and_anchor_resolves(page: Path) -> None:
    broken = []
    for link in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_every_page_begins_with_a_title_and_two_sentences(page: Path) -> None:
    title, opening, *_ = page.read_text(encoding="utf-8").split("\n\n")
    assert re.fullmatch(r"# [^\n]+", title)
    assert opening.startswith("For ")
    assert len(_SENTENCE_END.findall(opening)) == 2, opening


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(index.read_text())}
    assert {named(page) for page in DOCS if page != index and page not in listed} == set()


def test_every_page_that_code_and_configuration_name_is_there() -> None:
    missing = {
        (named(file), path)
        for file in FILES
        for path in _PATH_OF_A_PAGE.findall(file.read_text(encoding="utf-8"))
        if not (ROOT / path).is_file()
    }
    assert missing == set()


def test_the_glossary_fits_on_a_page() -> None:
    assert len((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()) <= 60
