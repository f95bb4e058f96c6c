"""The steps that the workflows ask for are those that a worker, and the fake services of tests, answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from tests.conftest import ROOT
from tests.workflows.fakes import FakeServices
from workflows.worker import steps

ANY: Any = cast("Any", None)
ASKED = re.compile(r"\"((?:orders|inventory|fulfillment|billing|notifications|temporal)\.[A-Z]\w+)\"")


def asked(files: str) -> set[str]:
    """The names of steps that these modules of the workflows say."""
    return {name for path in (ROOT / "workflows").glob(files) for name in ASKED.findall(path.read_text())}


def names(answered: Iterable[object]) -> set[str]:
    return {getattr(each, "__temporal_activity_definition").name for each in answered}


def test_a_worker_answers_every_step_that_a_story_asks_for() -> None:
    assert asked("*.py") - names(steps(ANY, ANY)) == set()
    assert len(asked("*.py")) > 15


def test_the_fake_services_answer_every_step_of_an_order() -> None:
    assert names(FakeServices().activities()) == asked("order_*.py")
