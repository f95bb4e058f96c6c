"""Messages as the SDK reads them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from workflows import messages

MESSAGES = [kind for kind in vars(messages).values() if isinstance(kind, type) and is_dataclass(kind)]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_a_message_names_its_types_so_that_nothing_is_compiled_to_read_it(message: type) -> None:
    annotated = [member.type for member in fields(message)]

    assert annotated
    assert not any(isinstance(kind, str) for kind in annotated)
