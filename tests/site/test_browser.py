"""The built site in a real browser: front page, guide, reference and search, wide and narrow.

Runs in ``nox -s docs``, which names the folder of the site in FASTFM_CY_SITE; needs chromium and
its driver, and selenium.
"""

import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

SITE = os.environ.get("FASTFM_CY_SITE")
CHROME = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
WIDTHS = {"desktop": (1280, 900), "phone": (390, 844)}
FLAGS = (
    "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
    "disable-background-networking", "disable-component-update", "hide-scrollbars",
)  # fmt: skip
PAGES = (
    "index.html",
    "guide/index.html",
    "getting_started.html",
    "which_estimator.html",
    "it_does_not_learn.html",
    "mathematics.html",
    "migration.html",
    "performance.html",
    "guide/tables.html",
    "guide/parameters.html",
    "api/index.html",
    "api/generated/fastfm_cy.FMRegressor.html",
    "api/generated/fastfm_cy.inspection.explain.html",
    "examples/index.html",
    "examples/clicks_with_fields.html",
    "project/CHANGELOG.html",
    "project/benchmarks/results/epochs.html",
)

RESULTS = "#search-results ul.search li a"

pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(not SITE, reason="FASTFM_CY_SITE does not name a built site"),
    pytest.mark.skipif(not (CHROME and DRIVER), reason="no chromium, or no chromedriver"),
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *ignored):
        pass


@pytest.fixture(scope="module")
def address():
    handler = functools.partial(Quiet, directory=SITE)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module", params=list(WIDTHS))
def browser(request, tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROME
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    width, height = WIDTHS[request.param]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.is_narrow = request.param == "phone"
    yield driver
    driver.quit()


def wait(browser, condition):
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 30).until(condition)


def check(browser):
    """What must hold of any page."""
    wide = browser.execute_script("""
        const width = document.documentElement.clientWidth;
        return document.documentElement.scrollWidth <= width ? [] :
            [...document.querySelectorAll('body *')]
                .filter(e => e.getBoundingClientRect().right > width + 1)
                .slice(-5).map(e => e.outerHTML.slice(0, 150));
    """)
    assert not wide, (browser.current_url, wide)
    cut = browser.execute_script("""
        return [...document.querySelectorAll('h1, h2, h3, article p, article li')]
            .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
            .map(e => e.outerHTML.slice(0, 200));
    """)
    assert not cut, (browser.current_url, cut)
    broken = browser.execute_script("""
        return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src);
    """)
    assert not broken, (browser.current_url, broken)
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not errors, (browser.current_url, errors)


def formulas(browser):
    """The sizes of all formulas; that of one that is not drawn is 0."""
    assert not browser.execute_script("return document.querySelectorAll('merror').length")
    return browser.execute_script("""
        return [...document.querySelectorAll('math')].map(m => {
            const box = m.getBoundingClientRect();
            return Math.min(box.width, box.height);
        });
    """)


def click(browser, css, text):
    """The first link of a part of the page that has the text; opens the menu where it is folded."""
    links = [link for link in browser.find_elements("css selector", css) if text in link_text(link)]
    assert links, (browser.current_url, css, text)
    shown = [link for link in links if link.is_displayed()]
    browser.execute_script("arguments[0].click()", (shown or links)[0])


def link_text(link):
    return link.get_attribute("textContent")


@pytest.mark.parametrize("page", PAGES)
def test_page(browser, address, page):
    browser.get(address + page)
    check(browser)
    assert browser.find_element("tag name", "h1").text


def test_front_page_to_guide_to_reference_to_search(browser, address):
    browser.get(address)
    sizes = formulas(browser)
    assert sizes
    assert min(sizes) > 5
    click(browser, ".sd-card a", "Guide")
    assert browser.current_url.endswith("/guide/index.html")
    check(browser)
    click(browser, "article a", "Bayesian machines")
    assert browser.current_url.endswith("/guide/bayesian.html")
    check(browser)
    click(browser, "header a, .bd-sidebar a", "Reference")
    assert browser.current_url.endswith("/api/index.html")
    check(browser)
    click(browser, "article a", "Estimators")
    click(browser, "article a", "FMClassifier")
    assert "Parameters" in browser.find_element("tag name", "article").text
    check(browser)
    found = search(browser, address, "warm_start")
    assert any("streaming" in link or "FM" in link for link in found), found
    check(browser)


def search(browser, address, words):
    """Addresses of what the search page finds."""
    browser.get(f"{address}search.html?q={words}")
    wait(browser, lambda driver: driver.find_elements("css selector", RESULTS))
    links = browser.find_elements("css selector", RESULTS)
    return [link.get_attribute("href") for link in links]


def test_search_field_of_the_header(browser, address):
    browser.get(f"{address}guide/index.html")
    button = next(
        found
        for found in browser.find_elements("css selector", ".search-button, .search-button-field")
        if found.is_displayed()
    )
    button.click()
    wait(browser, lambda driver: driver.switch_to.active_element.tag_name == "input")
    browser.switch_to.active_element.send_keys("early stopping\n")
    wait(browser, lambda driver: "search.html" in driver.current_url)
    wait(browser, lambda driver: driver.find_elements("css selector", RESULTS))
    check(browser)


def test_mathematics_is_drawn(browser, address):
    browser.get(f"{address}mathematics.html")
    sizes = formulas(browser)
    assert len(sizes) > 40
    assert min(sizes) > 3
    source = browser.find_element("tag name", "article").text
    assert "\\frac" not in source
    assert "$" not in source
    cut = browser.execute_script("""
        return [...document.querySelectorAll('div.math math')].filter(m =>
            m.getBoundingClientRect().left < m.parentElement.getBoundingClientRect().left - 1
        ).map(m => m.getAttribute('alttext'));
    """)
    assert not cut


def test_nothing_comes_from_elsewhere(browser, address):
    for page in ("index.html", "mathematics.html", "search.html"):
        browser.get(address + page)
        loaded = browser.execute_script("""
            return performance.getEntriesByType('resource').map(entry => entry.name);
        """)
        assert loaded
        assert not [name for name in loaded if not name.startswith((address, "data:"))]


def test_pictures_of_the_gallery(browser, address):
    browser.get(f"{address}examples/index.html")
    cards = browser.find_elements("css selector", ".sphx-glr-thumbcontainer")
    assert len(cards) == 12
    for place, link in enumerate(
        [card.find_element("tag name", "a").get_attribute("href") for card in cards]
    ):
        browser.get(link)
        check(browser)
        pictures = browser.find_elements("css selector", "article img.sphx-glr-single-img")
        assert pictures, place
        assert all(picture.size["width"] > 250 for picture in pictures), link
