"""One word a thing, the trade's: coined identifiers, file names and phrases that were once here do not come back."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.test_code_rules import ROOT, hand_written, tracked

COINED = frozenset(
    [
        "afresh",
        "anew",
        "deed",
        "deeds",
        "dossier",
        "dossiers",
        "floors",
        "habits",
        "house",
        "houses",
        "judge",
        "judged",
        "judgement",
        "judging",
        "letters",
        "lifeline",
        "portrait",
        "postman",
        "retell",
        "stories",
        "story",
        "told",
        "tell",
        "telling",
        "tells",
        "tills",
        "troubled",
        "trouble",
        "troubles",
        "unserved",
    ]
)
"""Parts of identifiers and of file names; "letter" stays in dead letter, "house" in warehouse."""

IDENTIFIERS = frozenset(
    {"LOOK", "LOOKS", "Look", "Seen", "look", "looks", "go_on", "cut_short", "is_outside", "books", "Shelf", "stuck"}
)
"""Whole identifiers."""

PHRASES = (
    "waits for",
    "past their day",
    "Within their day",
    "Filled at once",
    "How long orders wait for agreement",
    "at catalogue cost",
    "being checked",
    "It waits for nobody",
    "See what it comes to",
    "What the change comes to",
    "Take the change back",
    "took the change back",
    "Leave it as it is",
    "Keep it",
    "Change it differently",
    "has the last word",
    "0 will come",
    "Messages nobody took",
    "Not yours to open",
    "Somebody here has to agree",
    "Hand your decisions over",
    "Counts as",
    "the customer has not answered",
    "remind whoever",
)
"""What people read on pages, in mails, on the command line and in a workflow's history."""

READ = (
    "gateway/console/**/*.html",
    "gateway/console/*.py",
    "services/notifications/templates/*",
    "cli/*.py",
    "workflows/*.py",
)
BRITISH = re.compile(
    r"\b(?:catalogue|colour|favour|behaviour|neighbour|recognise|organis|authoris|cheque|centre)\w*", re.IGNORECASE
)

SOURCES = [path for path in hand_written() if "migrations" not in path.parts and path != Path(__file__)]


def identifiers(source: str) -> Iterator[str]:
    """Every name in a Python source; text in strings and comments is prose."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.string


def parts(name: str) -> set[str]:
    """The words of an identifier or a file name: "is_customerTold" is is, customer and told."""
    own = re.sub(r"dead_?letters?", "", name, flags=re.IGNORECASE)
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", own)}


def said(path: Path) -> str:
    """What a file says to people: a template as it is, of a module its strings but no docstring."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in prose)
    return "\n".join(node.value for node in strings if isinstance(node.value, str))


def coined(source: str) -> set[str]:
    """The identifiers of a source that nobody in the trade would say."""
    names = {name for name in identifiers(source) if not name.startswith("test_")}
    return {name for name in names if parts(name) & COINED or name in IDENTIFIERS}


def test_no_identifier_is_coined() -> None:
    found = {str(path.relative_to(ROOT)): coined(path.read_text()) for path in SOURCES}

    assert {path: names for path, names in found.items() if names} == {}


def test_no_file_has_a_coined_name() -> None:
    assert [
        path for path in SOURCES if parts(path.stem) & (COINED | {"look", "books", "words", "again", "outside"})
    ] == []


@pytest.mark.parametrize("pattern", READ)
def test_no_listed_phrase_is_read_anywhere(pattern: str) -> None:
    texts = {path: said(path) for path in ROOT.glob(pattern) if path.is_file()}

    assert [(path.name, phrase) for path, text in texts.items() for phrase in PHRASES if phrase in text] == []


def test_prose_is_spelled_as_in_the_united_states() -> None:
    prose = [
        *SOURCES,
        *tracked("proto/oms/*.proto", "*/migrations/*.py", "services/notifications/templates/*", "samples/*.yaml"),
    ]
    found = {path.name: BRITISH.findall(path.read_text()) for path in prose}

    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "planted", ["def tell_orders(): ...", "dossier = 1", "class Look: ...", "x.go_on()", "is_sales_told = 2"]
)
def test_a_coined_identifier_is_found(planted: str) -> None:
    assert coined(planted)


@pytest.mark.parametrize("planted", ["dead_letter = 1", "warehouse = 'told of the house'", "lookup(seen)", "# a deed"])
def test_the_trades_own_words_are_not(planted: str) -> None:
    assert coined(planted) == set()
