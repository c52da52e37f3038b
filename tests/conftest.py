"""Plugins for every test; each brings its own options and fixtures."""

pytest_plugins = ("support.snapshots",)
