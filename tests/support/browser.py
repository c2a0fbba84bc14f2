"""A page as a browser shows it: Debian's chromium, without a screen."""

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import final

import pytest

__all__ = ["Page", "opened"]


@final
class Page(HTMLParser):
    """What is in a rendered page, without its scripts and styles.

    Attributes:
        text: all of it.
        tags: tag -> the attributes of each element.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: dict[str, list[dict[str, str | None]]] = {}
        self._hidden = False
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.setdefault(tag, []).append(dict(attrs))
        self._hidden = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data


def opened(page: Path, script: str = "") -> Page:
    """Open a page and return what it has become; the test is skipped where there is no browser.

    Args:
        page: a file; a copy of it with the script is written beside it.
        script: runs when the page has settled.
    """
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("there is no browser to open the report with: apt-get install chromium")
    head, end, tail = page.read_text(encoding="utf-8").rpartition("</body>")
    copy = page.with_name(f"opened_{page.name}")
    copy.write_text(f"{head}<script>setTimeout(() => {{ {script} }}, 5000)</script>{end}{tail}", encoding="utf-8")
    # Virtual time: the page believes that it waited. Root has no sandbox.
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1440,900", "--virtual-time-budget=20000"]
    command = [browser, *options, "--dump-dom", copy.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    copy.unlink()
    return Page(done.stdout)
