"""Measures how long headless Chromium needs to open the page of a fleet, through Selenium.

Usage: page.py CHROMIUM PAGE.html; KBFIX_CHROMEDRIVER names the driver. `cargo bench --bench fleet` calls it with the page of 10,000
machines. Prints for each of a few runs the seconds from the request to the load event, and to the first frame after it; the last
line is the least of the latter.
"""

import os
import pathlib
import shutil
import sys
import tempfile
import time

from selenium import webdriver

RUNS = 5
LOADED = "const [page] = performance.getEntriesByType('navigation'); return page.loadEventEnd / 1000"
# The second frame begins once the first has been painted.
PAINTED = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() / 1000)))"


def main() -> None:
    chromium, page = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        # Chromium has no sandbox for root, which a container runs as.
        for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", f"--user-data-dir={profile}"):
            options.add_argument(argument)
        service = webdriver.ChromeService(os.environ.get("KBFIX_CHROMEDRIVER") or shutil.which("chromedriver"))
        browser = webdriver.Chrome(options=options, service=service)
        try:
            best = float("inf")
            for _ in range(RUNS):
                browser.get("about:blank")
                start = time.monotonic()
                browser.get(page.as_uri())
                painted = browser.execute_async_script(PAINTED)
                seconds, loaded = time.monotonic() - start, browser.execute_script(LOADED)
                rows = browser.execute_script("return document.querySelectorAll('#machines tbody tr').length")
                print(f"{rows} machines: loaded after {loaded:.2f} s, painted after {painted:.2f} s, {seconds:.2f} s with the driver", flush=True)
                best = min(best, painted)
            print(f"{best:.2f}")
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
