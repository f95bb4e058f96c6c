"""Documents of orders over HTTP: files that nobody shows or keeps, of orders that the caller may see."""

from __future__ import annotations

import pytest

from oms.notifications.v1 import notifications_pb2 as notifications
from tests.api.conftest import World


@pytest.mark.parametrize(("path", "document"), [("confirmation", "order_confirmation"), ("pro-forma", "pro_forma")])
@pytest.mark.parametrize("role", ["customer", "support", "accounting"])
async def test_an_order_has_its_documents_as_files(world: World, role: str, path: str, document: str) -> None:
    placed = (await world.place()).json()

    answers = [
        await world.send("GET", f"/v1/orders/{named}/{path}.pdf", role)
        for named in (placed["order_id"], placed["number"])
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, f"%PDF-1.7 {document}".encode())] * 2
    assert answers[0].headers["Content-Type"] == "application/pdf"
    assert answers[0].headers["Content-Disposition"] == 'attachment; filename="SO-1001.pdf"'
    assert answers[0].headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["confirmation", "pro-forma"])
async def test_another_companys_order_has_none_for_a_customer(world: World, path: str) -> None:
    placed = (await world.place()).json()

    foreign = await world.send(
        "GET", f"/v1/orders/{placed['order_id']}/{path}.pdf", "customer", claims={"company": "cus_rival"}
    )
    unknown = await world.send("GET", f"/v1/orders/SO-9999/{path}.pdf", "support")

    assert (foreign.status_code, unknown.status_code) == (404, 404)


async def test_a_mail_is_listed_with_the_document_that_goes_with_it(world: World) -> None:
    document = notifications.Attachment(document="invoice", reference="inv_1", name="INV-000001.pdf")
    world.notifications.deliveries = {
        "dlv_1": notifications.Delivery(delivery_id="dlv_1", kind="invoice", state="sent", attachment=document),
        "dlv_2": notifications.Delivery(delivery_id="dlv_2", kind="shipped", state="sent"),
    }

    listed = (await world.send("GET", "/v1/deliveries", "support")).json()["rows"]

    assert [row["attachment"] for row in listed] == ["INV-000001.pdf", None]
