"""What is shipped with the console: foreign files as they came, our own within bounds, nothing inline."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from gateway.console import files
from gateway.console.pages import TEMPLATES
from tests.conftest import ROOT

VENDORED = (files.FOLDER / "vendor", Path(__file__).parent / "vendor")


@pytest.mark.parametrize("folder", VENDORED, ids=["console", "tests"])
def test_every_foreign_file_is_the_one_of_the_manifest_and_has_its_licence(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())

    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    assert digests == {name: entry["sha256"] for name, entry in manifest.items()}
    licensed = {entry["package"] for name, entry in manifest.items() if "LICENSE" in name}
    assert licensed == {entry["package"] for entry in manifest.values()}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", entry["version"]) for entry in manifest.values())


def test_the_one_stylesheet_of_ours_is_shorter_than_300_lines() -> None:
    ours = list(files.FOLDER.glob("*.css"))

    assert [path.name for path in ours] == ["console.css"]
    assert ours[0].read_text().count("\n") < 300


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_a_template_has_no_inline_style_or_script_and_trusts_no_text(template: Path) -> None:
    source = template.read_text()

    assert not re.search(r"\sstyle\s*=", source)
    assert not re.search(r"<style", source)
    assert not re.search(r"\son[a-z]+\s*=", source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", source)
    assert "|safe" not in source.replace(" ", "")
    assert "javascript:" not in source
    assert not re.search(r"(src|href|action)=\"https?://", source)


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_posting_form_carries_a_token(template: Path) -> None:
    forms = re.findall(r'<form[^>]*method="post".*?</form>', template.read_text(), re.DOTALL)

    assert all("m.csrf(who)" in form or 'name="csrf"' in form for form in forms)


def test_an_address_of_a_static_file_changes_with_its_content() -> None:
    content = (files.FOLDER / "console.css").read_bytes()

    assert files.address("console.css") == f"/static/console.css?v={hashlib.sha256(content).hexdigest()[:16]}"


def test_the_image_carries_templates_and_static_files() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = (ROOT / "Dockerfile").read_text()

    assert "!services" in ignored
    assert not any(line.endswith((".html", ".css", ".js", "static", "templates")) for line in ignored)
    assert "COPY services services" in copied
