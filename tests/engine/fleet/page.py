"""Tests of the page of `kbfix fleet diff --format html` in headless Chromium, through Selenium.

Usage: page.py CHROMIUM FOLDER; page.rs writes mixed.html, hostile.html and large.html into the folder.
"""

import base64
import os
import pathlib
import shutil
import sys
import unittest

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
OUTCOMES = {"changes pending": 8, "blocked": 1, "unknown": 1, "unreadable": 1}


def start() -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    # Chromium has no sandbox for root, which runs the tests in a container.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", f"--user-data-dir={FOLDER}/profile"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(os.environ.get("KBFIX_CHROMEDRIVER") or shutil.which("chromedriver"))
    return webdriver.Chrome(options=options, service=service)


class Page(unittest.TestCase):
    """One browser for all tests. Each test opens its page again."""

    browser: webdriver.Chrome

    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = start()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.quit()

    def setUp(self) -> None:
        self.window(1280)
        self.media()
        self.cdp("Emulation.setScriptExecutionDisabled", value=False)

    def cdp(self, command: str, **arguments: object) -> dict:
        return self.browser.execute_cdp_cmd(command, arguments)

    def js(self, script: str, *arguments: object) -> object:
        return self.browser.execute_script(f"return {script}", *arguments)

    def window(self, width: int, height: int = 900) -> None:
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def media(self, scheme: str = "light", media: str = "") -> None:
        self.cdp("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, name: str, fragment: str = "") -> None:
        self.browser.get("about:blank")
        self.browser.get(f"{(FOLDER / name).as_uri()}.html{fragment}")

    def shown(self) -> list[str]:
        """Returns the names of the shown machines in their order, and checks that the page shows their number."""
        script = "[...document.querySelectorAll('#machines tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].textContent)"
        names = self.js(script)
        self.assertEqual(self.find("#shown").text.split(" ")[0], str(len(names)))
        return names

    def find(self, selector: str):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def click(self, selector: str) -> None:
        self.press(self.find(selector))

    def press(self, one) -> None:
        # The driver would scroll the element under the bar at the top.
        self.js("arguments[0].scrollIntoView({ block: 'center' })", one)
        one.click()

    def keys(self, *keys: str) -> None:
        webdriver.ActionChains(self.browser).send_keys(*keys).perform()

    def hash(self) -> str:
        return self.js("location.hash")

    def fits(self) -> None:
        self.assertLessEqual(self.js("document.documentElement.scrollWidth"), self.js("innerWidth"))

    def quiet(self) -> None:
        """Checks that the content security policy refused nothing, nothing failed, and no other script ran."""
        self.assertEqual([line["message"] for line in self.browser.get_log("browser") if "favicon" not in line["message"]], [])

    def test_counts(self) -> None:
        self.open("mixed")
        chips = [chip.text for chip in self.all(".tools button[data-o]")]
        self.assertEqual(sorted(chips), sorted(f"{count} {outcome}" for outcome, count in OUTCOMES.items()))
        self.assertIn("11 machines (", self.find("body > p").text)
        self.assertEqual(len(self.shown()), 11)
        for chip in self.all(".tools button[data-o]"):
            chip.click()
            self.assertEqual(len(self.shown()), int(chip.text.split(" ")[0]), chip.text)
            chip.click()
        self.quiet()

    def test_filter_by_outcome_and_group(self) -> None:
        self.open("mixed")
        blocked, unknown = self.find("button.blocked"), self.find("button.unknown")
        blocked.click()
        self.assertEqual(self.shown(), ["OLD"])
        self.assertEqual(blocked.get_attribute("aria-pressed"), "true")
        unknown.click()
        self.assertEqual(sorted(self.shown()), ["DENIED", "OLD"])
        self.click("#clear")
        self.assertEqual(len(self.shown()), 11)
        self.assertEqual(blocked.get_attribute("aria-pressed"), "false")
        groups = [option.get_attribute("value") for option in self.all("#group option")]
        self.assertEqual(groups, ["", "a, b", "even", "odd"])
        found = {}
        for at, group in enumerate(groups):
            self.all("#group option")[at].click()
            found[group] = self.shown()
        self.assertEqual(found["a, b"], ["PENDING1"])
        self.assertEqual(sorted(found["even"] + found["odd"]), sorted(found[""]))
        self.quiet()

    def test_search(self) -> None:
        self.open("mixed")
        search = self.find("#search")
        for text, names in {"pending3": ["PENDING3"], "old": ["OLD"], "zzz": [], "OLD blocked": ["OLD"], "OLD denied": []}.items():
            search.clear()
            search.send_keys(text)
            self.assertEqual(self.shown(), names, text)
        search.clear()
        # A search for a spec finds the machines on which it is not in desired state and applies.
        search.send_keys("two-values")
        self.assertEqual(sorted(self.shown()), ["DENIED", "HALF", "OLD", *(f"PENDING{n}" for n in range(5))])
        self.assertTrue(self.js("document.activeElement.id === 'search'"))

    def test_sort(self) -> None:
        self.open("mixed")
        first = self.shown()
        self.click("[data-sort=name]")
        self.assertEqual(self.shown(), sorted(first))
        self.assertEqual(self.find("th[aria-sort]").get_attribute("aria-sort"), "ascending")
        self.click("[data-sort=name]")
        self.assertEqual(self.shown(), sorted(first, reverse=True))
        self.click("[data-sort=outcome]")
        self.assertEqual(self.shown()[:3], ["BROKEN", "DENIED", "OLD"])
        self.assertEqual(len(self.all("th[aria-sort]")), 1)

    def test_cases_show_their_machines(self) -> None:
        self.open("mixed")
        self.find("#exceptions + details button[data-only]").click()
        (name,) = self.shown()
        self.assertIn(name, ("OLD", "DENIED"))
        self.assertIn("only: 1 machine", self.find("#of-case").text)
        self.click("#of-case")
        self.assertEqual(len(self.shown()), 11)
        # A count in the table of specs covers several cases: five machines lack both values, and one machine lacks one value.
        self.click("td.changes_pending a[data-only*=' ']")
        self.assertEqual(self.shown(), ["HALF", *(f"PENDING{n}" for n in range(5))])
        self.assertIn("and 1 more", self.find("#of-case").text)

    def test_fold_and_unfold(self) -> None:
        self.open("mixed")
        count = len(self.all("details"))
        self.click("#close")
        self.assertEqual(len(self.all("details[open]")), 0)
        self.click("#open")
        self.assertEqual(len(self.all("details[open]")), count)

    def test_deep_links(self) -> None:
        self.open("mixed")
        self.click("button.blocked")
        self.find("#search").send_keys("ol")
        link = self.hash()
        self.open("mixed", link)
        self.assertEqual(self.shown(), ["OLD"])
        self.assertEqual(self.find("#search").get_attribute("value"), "ol")
        self.assertEqual(self.find("button.blocked").get_attribute("aria-pressed"), "true")
        self.open("mixed", "#?g=a%2C+b")
        self.assertEqual(self.shown(), ["PENDING1"])
        # A folded case is unfolded, and the bar at the top does not cover it.
        self.open("mixed", "#p0")
        self.assertTrue(self.find("#p0").get_attribute("open"))
        self.open("mixed", "#c0")
        self.assertGreaterEqual(self.js("document.getElementById('c0').getBoundingClientRect().top"),
                                self.js("document.querySelector('.tools').getBoundingClientRect().bottom"))
        for damaged in ("#?o=99&c=c99+zz&g=none", "#%", "#%E0%A4%A", "#?%"):
            self.open("mixed", damaged)
            self.click("#clear")
            self.assertEqual(len(self.shown()), 11, damaged)
        self.quiet()

    def test_keyboard(self) -> None:
        self.open("mixed")
        self.keys("/")
        self.keys("old")
        self.assertEqual(self.shown(), ["OLD"])
        self.assertEqual(self.find("#search").get_attribute("value"), "old")
        self.keys(Keys.ESCAPE)
        self.assertEqual(len(self.shown()), 11)
        self.assertEqual(self.hash(), "")
        self.keys("f")
        self.assertEqual(len(self.all("details[open]")), 0)
        self.keys("o")
        self.assertEqual(len(self.all("details:not([open])")), 0)
        self.keys("t")
        self.assertEqual(self.js("document.documentElement.dataset.theme"), "dark")
        # Every part can be reached with the tab key, and shows the focus.
        self.open("mixed")
        reached = set()
        for _ in range(60):
            self.keys(Keys.TAB)
            reached.add(self.js("document.activeElement.id || document.activeElement.tagName"))
            outline = self.js("getComputedStyle(document.activeElement).outlineStyle")
            self.assertTrue(outline != "none" or self.js("document.activeElement === document.body"), reached)
        self.assertLessEqual({"search", "group", "clear", "open", "SUMMARY", "A", "BUTTON"}, reached)
        self.quiet()

    def contrast(self) -> None:
        """Text has a contrast of at least 4.5 (WCAG 2.2, 1.4.3)."""
        script = """(() => {
            const channel = (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
            const light = (rgb) => { const [r, g, b] = rgb.map((c) => channel(c / 255)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const read = (text) => text.match(/[\\d.]+/g).map(Number);
            const behind = (one) => { for (; one; one = one.parentElement) {
                const color = read(getComputedStyle(one).backgroundColor); if (color.length < 4 || color[3] > 0) return color.slice(0, 3); }
                return [255, 255, 255]; };
            const poor = [];
            for (const one of document.querySelectorAll("body *")) {
                if (!one.checkVisibility() || !one.textContent.trim() || one.tagName === "SCRIPT") continue;
                const [a, b] = [light(read(getComputedStyle(one).color).slice(0, 3)), light(behind(one))].sort((x, y) => y - x);
                if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(one.tagName + "." + one.className + " " + (a + 0.05) / (b + 0.05));
            }
            return [...new Set(poor)];
        })()"""
        self.assertEqual(self.js(script), [])

    def test_light_and_dark(self) -> None:
        backgrounds = {}
        for scheme in ("light", "dark"):
            self.media(scheme)
            self.open("mixed")
            backgrounds[scheme] = self.js("getComputedStyle(document.body).backgroundColor")
            self.contrast()
        self.assertNotEqual(backgrounds["light"], backgrounds["dark"])
        self.click("#theme")
        self.assertEqual(self.js("getComputedStyle(document.body).backgroundColor"), backgrounds["light"])
        self.contrast()

    def test_print(self) -> None:
        self.media("dark")
        self.open("mixed")
        self.click("#theme")
        self.click("#theme")
        self.keys("f")
        pdf = base64.b64decode(self.cdp("Page.printToPDF")["data"])
        self.assertTrue(pdf.startswith(b"%PDF"))
        # Folded parts are folded again afterwards.
        self.assertEqual(len(self.all("details[open]")), 0)
        self.media("dark", "print")
        self.assertEqual(self.js("getComputedStyle(document.body).color"), "rgb(26, 26, 26)")
        self.assertFalse(self.find(".tools").is_displayed())
        self.assertTrue(self.find("#machines th button").is_displayed())
        self.assertTrue(self.js("document.querySelector('#p0 table').checkVisibility()"))
        self.quiet()

    def test_without_script(self) -> None:
        self.cdp("Emulation.setScriptExecutionDisabled", value=True)
        self.open("mixed")
        self.assertEqual(len(self.all("#machines tbody tr")), 11)
        self.assertFalse(any(one.is_displayed() for one in self.all(".needs-script")))
        self.assertIn("Second", self.find("#changes + details").text)
        self.assertTrue(self.find("nav a").is_displayed())
        self.find("td.blocked a").click()
        self.assertRegex(self.browser.current_url, r"#c\d+$")

    def test_hostile_names_and_data(self) -> None:
        for width in (1280, 390):
            self.window(width)
            self.open("hostile")
            self.assertEqual(self.js("document.scripts.length"), 1)
            self.assertEqual(self.js("document.querySelectorAll('img, iframe, object, x, i, [onmouseover], [onerror], body [style]').length"), 0)
            self.assertEqual(len(self.shown()), 12)
            for at in range(1, len(self.all("#group option"))):
                self.all("#group option")[at].click()
                self.assertEqual(len(self.shown()), 1, self.all("#group option")[at].text)
                self.browser.refresh()
                self.assertEqual(len(self.shown()), 1, self.hash())
            self.click("#clear")
            for one in self.all("[data-only]"):
                if one.is_displayed():
                    self.press(one)
            self.keys("o")
            self.fits()
        self.quiet()
        # A script that is injected nevertheless does not run.
        self.js("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
        self.js("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 1' }))")
        self.browser.execute_async_script("setTimeout(arguments[0], 50)")
        self.assertIsNone(self.js("window.ran ?? null"))
        self.browser.get_log("browser")

    def test_narrow(self) -> None:
        for width in (320, 390, 700):
            self.window(width)
            self.open("mixed")
            self.keys("o")
            self.fits()
            # No number, and no word of a heading, is broken.
            script = """[...document.querySelectorAll('.numbers th, .numbers td:not(:first-child)')].filter((cell) => {
                const range = document.createRange();
                range.selectNodeContents(cell);
                const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.bottom)));
                return lines.size > cell.textContent.trim().split(' ').length;
            }).map((cell) => cell.textContent)"""
            self.assertEqual(self.js(script), [])
            self.click("[data-sort=name]")
            self.assertEqual(self.shown()[0], "BROKEN")

    def test_ten_thousand_machines(self) -> None:
        self.open("large")
        self.assertEqual(self.find("#shown").text, "10000 of 10000 machines")
        self.find("#search").send_keys("009999")
        self.assertEqual(self.shown(), ["EXCHANGE-009999"])
        self.keys(Keys.ESCAPE)
        self.click("[data-sort=outcome]")
        self.assertEqual(len(self.shown()), 10000)
        self.assertIn("unreadable", self.find("#machines tbody tr").text)
        self.quiet()

    def test_machines_of_which_no_two_are_alike(self) -> None:
        self.open("worst")
        all_rows = len(self.shown())
        self.assertLess(all_rows, 10000)
        self.assertEqual(self.find("#shown").text, f"{all_rows} of {all_rows} machines, and {10000 - all_rows} that are not on this page")
        self.assertIn(f"Not shown on this page: {10000 - all_rows} more machines.", self.find("#of-machines .more").text)
        # The machines with the worst outcomes are shown.
        self.assertEqual(self.js("new Set([...document.querySelectorAll('#machines tbody tr')].map((r) => r.dataset.o)).size"), 1)
        self.click("#theme")
        self.quiet()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]], verbosity=2)
