"""A Chromium of this computer, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
MAC_APPS = ("Google Chrome", "Chromium", "Microsoft Edge")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium(bundled: str) -> str:
    """Any Chromium of this computer; skips without one, fails if this is CI."""
    apps = [Path(f"/Applications/{app}.app/Contents/MacOS/{app}") for app in MAC_APPS]
    places = [*(shutil.which(name) for name in NAMES), *(str(app) for app in apps if app.exists()), bundled]
    for place in places:
        if place and Path(place).exists():
            return place
    if os.environ.get("CI"):
        pytest.fail("no Chromium: `make browser` installs one")
    pytest.skip("NO CHROMIUM FOUND: the console was not tried in a browser; `make browser` installs one")
