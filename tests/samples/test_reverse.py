"""What goes back on the day: asked for in order, each waited for, and under keys of its own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from samples import documents, reverse
from samples.door import Answer, Door, Person, Refusal, Unanswered
from samples.narration import Board
from samples.reverse import Reverse

USD = {"amount": "139.64", "currency": "USD"}


class Script(Person):
    """Somebody who gets the next answer of what is written down for a path; the last one stays."""

    def __init__(self, door: Scripted, role: str) -> None:
        self.door, self.role = door, role

    def get(self, path: str, **query: str | int) -> Any:
        return self.door.next(path)

    def rows(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.door.next(path)
        return found

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        self.door.asked.append((self.role, path, key or ""))
        return Answer(200, self.door.next(path), is_replay=False)


class Scripted(Door):
    """A door behind which answers are written down by path."""

    def __init__(self, var: Path, answers: Mapping[str, list[Any]]) -> None:
        super().__init__("http://nobody", var)
        self.answers = {path: list(each) for path, each in answers.items()}
        self.asked: list[tuple[str, str, str]] = []

    def person(self, role: str, sub: str, company: str | None = None) -> Person:
        return Script(self, role)

    def next(self, path: str) -> Any:
        left = self.answers[path]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def played(door: Scripted) -> tuple[Reverse, io.StringIO]:
    said = io.StringIO()
    placed = {placing.key: "ord_1" for placing in documents.day().placings}
    return Reverse(door, documents.day(), Board(Console(file=said, width=200)), "demo", placed), said


def test_units_are_canceled_once_a_warehouse_has_them_and_it_gives_them_back(tmp_path: Path) -> None:
    order = {"number": "SO-1", "status": "accepted"}
    door = Scripted(
        tmp_path,
        {
            "/v1/orders/ord_1": [order, order | {"status": "in_fulfilment"}],
            "/v1/orders/ord_1/cancellation": [{"consequences": {"total": USD}}],
            "/v1/recalls": [[], [{"recall_id": "rec_1"}]],
            "/v1/recalls/rec_1/answer": [{}],
        },
    )
    day, said = played(door)

    day.cancel_part()

    assert door.asked == [
        ("support", "/v1/orders/ord_1/cancellation", "demo-cancel-ord_1"),
        ("warehouse", "/v1/recalls/rec_1/answer", "demo-recall-rec_1"),
    ]
    assert "support cancels 2 units of line 1, 139.64 USD less" in said.getvalue()


def test_goods_come_back_when_the_warehouse_has_heard_of_them_and_are_paid_back_or_replaced(
    tmp_path: Path,
) -> None:
    credited = {"inspections": [{"credited_at": "2026-12-01T09:00:00Z", "credit_notes": ["CN-1"]}]}
    door = Scripted(
        tmp_path,
        {
            "/v1/orders/ord_1": [{"number": "SO-1", "customer_id": "cus_acme"}],
            "/v1/orders/ord_2": [{"status": "accepted"}, {"status": "completed"}],
            "/v1/returns": [{"number": "RMA-1"}, {"number": "RMA-2"}],
            "/v1/returns/RMA-2/receive": [{"number": "RMA-2"}],
            "/v1/returns/RMA-2/inspect": [{}],
            "/v1/returns/RMA-2": [
                {"replacements": []},
                {"replacements": [{"order_id": "ord_2", "order_number": "SO-2"}]},
            ],
            "/v1/returns/RMA-1/receive": [Refusal(404, "RETURN_UNKNOWN", "no return"), {"number": "RMA-1"}],
            "/v1/returns/RMA-1/inspect": [{}],
            "/v1/returns/RMA-1": [{"inspections": [{"credited_at": None}]}, credited],
            "/v1/returns/RMA-1/refund": [{"refunded": USD}],
        },
    )
    day, said = played(door)
    worked: list[str] = []

    def work(orders: Mapping[str, Any]) -> int:
        worked.extend(orders)
        return 1

    day.take_back(work)

    steps = [(role, path.rpartition("/")[2]) for role, path, _ in door.asked]
    assert steps == [
        ("customer", "returns"),
        ("warehouse", "receive"),
        ("warehouse", "receive"),
        ("warehouse", "inspect"),
        ("accounting", "refund"),
        ("customer", "returns"),
        ("warehouse", "receive"),
        ("warehouse", "inspect"),
    ]
    assert worked == ["ord_2"]
    assert "RMA-2 replaced by SO-2: nothing credited, nothing invoiced" in said.getvalue()
    assert "RMA-1 credited by CN-1, and 139.64 USD goes back to the customer" in said.getvalue()


def test_what_never_comes_ends_the_day_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reverse, "_PATIENCE_S", 0.0)
    day, _ = played(Scripted(tmp_path, {"/v1/orders/ord_1": [{"status": "captured"}]}))

    with pytest.raises(Unanswered, match="in vain for a release"):
        day.cancel_part()
