"""The reference pages in a real browser, through a real nginx under a prefix."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import architecture
from tests.proxy import browser, fronts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proxy.browser import Tab
    from tests.proxy.fronts import Front

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", params=["taken away", "kept"])
def front(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    fronts.needed("nginx")
    if shutil.which("chromium") is None and shutil.which("chromium-browser") is None:
        pytest.skip("chromium is not installed")
    folder = tmp_path_factory.mktemp("pages")
    with fronts.upstreams(folder, 1) as (upstream,):
        kept = request.param == "kept"
        with fronts.nginx(tmp_path_factory.mktemp("nginx"), [upstream.port], kept=kept) as running:
            yield running


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with browser.tab(tmp_path / "profile") as opened:
        yield opened


def assert_at_home(tab: Tab, front: Front) -> None:
    """Nothing was asked of another host, and the policy had nothing to forbid."""
    asked = [each for each in tab.asked if not each.startswith(("data:", "blob:", "about:"))]
    assert asked
    assert [each for each in asked if not each.startswith(f"{front.url}/archive/")] == []
    assert tab.complaints == []


def test_swagger_ui_opens_and_a_request_is_tried_out(tab: Tab, front: Front) -> None:
    tab.call("Page.navigate", url=f"{front.url}/archive/docs")
    row = "document.querySelector('[id$=list_articles]')"
    tab.wait(f"{row} !== null")
    tab.value(f"{row}.querySelector('.opblock-summary-control').click()")
    tab.wait(f"{row}.querySelector('.try-out__btn') !== null")
    tab.value(f"{row}.querySelector('.try-out__btn').click()")
    tab.wait(f"{row}.querySelector('.execute') !== null")
    tab.value(f"{row}.querySelector('.execute').click()")
    shown = f"{row}.querySelector('.live-responses-table tbody .response-col_status')?.innerText"
    assert tab.wait(shown).startswith("200")
    answer = f"{row}.querySelector('.live-responses-table tbody .highlight-code')?.innerText"
    assert '"total": 4' in tab.wait(answer)
    assert any(each.startswith(f"{front.url}/archive/v1/articles") for each in tab.asked)
    assert_at_home(tab, front)


def test_redoc_opens(tab: Tab, front: Front) -> None:
    tab.call("Page.navigate", url=f"{front.url}/archive/redoc")
    tab.wait("document.body?.textContent.includes('/v1/search/explain')")
    assert tab.value(f"document.body.textContent.includes('{front.url}/archive')")
    assert tab.value("document.styleSheets.length") > 1
    assert_at_home(tab, front)


def test_the_picture_of_the_architecture_is_drawn(tab: Tab) -> None:
    picture = Path(__file__).parents[2] / "docs" / "architecture.svg"
    tab.call("Page.navigate", url=picture.as_uri())
    names = {name for layer in architecture.layers() for name in layer}
    of_each = "[t.firstChild.textContent, t.getBBox().width, t.previousSibling.getBBox().width]"
    shown = f"[...document.querySelectorAll('text.package')].map(t => {of_each})"
    tab.wait(f"{shown}.length")
    texts = tab.value(shown)
    assert {name for name, _, _ in texts} == names
    assert all(0 < width < box for _, width, box in texts), "each fits into its box"
