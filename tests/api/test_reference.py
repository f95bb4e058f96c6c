from __future__ import annotations

import html
import json

from tests.api.conftest import World
from tests.console import chrome


async def test_the_reference_is_one_page_without_foreign_assets_or_script(world: World) -> None:
    page = await world.send("GET", "/docs")

    assert page.status_code == 200
    assert "POST /v1/orders" in page.text
    assert "Who: customer (its own)" in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


async def test_the_reference_shows_every_example_of_the_document(world: World) -> None:
    document = (await world.send("GET", "/openapi.json")).json()

    page = html.unescape((await world.send("GET", "/docs")).text)

    examples = [
        example for schema in document["components"]["schemas"].values() for example in schema.get("examples", ())
    ]
    assert len(examples) > 25
    assert [one for one in examples if json.dumps(one, indent=2, ensure_ascii=False) not in page] == []
    assert 'Example: <code>"SO-1001"</code>' in page


def test_the_reference_fits_a_phone_with_everything_unfolded(world: World) -> None:
    with chrome.served(world.app) as url, chrome.chromium() as browser:
        page = browser.new_page(viewport={"width": 360, "height": 740})
        page.goto(f"{url}/docs")
        folded = page.evaluate(_WIDTH)
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        unfolded = page.evaluate(_WIDTH)
        page.close()

    assert (folded, unfolded) == (360, 360)


_WIDTH = "document.documentElement.scrollWidth"
