from __future__ import annotations

import pytest

from tests.system.trade import Trade


@pytest.mark.on_postgres
def test_an_order_goes_from_the_web_to_cash(trade: Trade) -> None:
    customer = trade.customer(tax_rate="0.0825")
    pump = trade.product("pump", "129.00", cost="80.00")
    visit = trade.product("visit", "95.00", kind="service", cost="40.00")
    warehouse = trade.warehouses({"w1": 900})["w1"]
    trade.receive(warehouse, pump, 10, "80.00")
    lines = [{"sku": pump, "quantity": 4}, {"sku": visit, "quantity": 1}]

    placed = trade.placed(trade.order_body(customer, lines))
    order_id = placed["order_id"]
    sent = [trade.send_off(shipment) for shipment in trade.shipments(order_id)]
    parcel = next(shipment for shipment in sent if not shipment["is_service"])
    billed = trade.when_idle(order_id)
    notified = trade.deliver(parcel, times=2)
    trade.pay(customer, placed["totals"]["total"]["amount"])
    order = trade.when_idle(order_id)
    addressed_mails = trade.addressed_mails(order["number"])
    attached = trade.attachments(order["number"])
    confirmation = trade.system.api("customer", customer).get(f"/v1/orders/{order_id}/confirmation.pdf")
    opinion = trade.system.api("customer", customer)
    first, second = (opinion.post(f"/v1/orders/{order_id}/feedback", json={"rating": 5}) for _ in range(2))

    assert placed["status"] == "in_fulfilment"
    assert placed["totals"]["total"]["amount"] == "661.41"  # (4 × 129 + 95) × 1.0825 = 661.4075
    assert (billed["axes"]["billing"], notified) == ("full", [200, 200])
    assert (order["status"], order["axes"]["payment"]) == ("completed", "paid")
    assert trade.stock(pump)[warehouse] == (6, 0)
    received, accepted = (
        f"We have received your order {order['number']}",
        f"Your order {order['number']} has been accepted",
    )
    to_buyer = [subject for to, subject in addressed_mails if "buyer" in to]
    assert to_buyer[:2] == [received, accepted]
    assert len(to_buyer) == 8  # received, accepted, shipped, arrived, visit done, 2 × invoice, payment
    assert sorted(name for name in attached if name.startswith("INV-")) == sorted(
        f"{row['number']}.pdf" for row in order["invoices"]
    )
    assert (confirmation.status_code, confirmation.content[:5]) == (200, b"%PDF-")
    assert all(content.startswith(b"%PDF-") for content in attached.values())
    assert len([subject for subject in to_buyer if "how did we do?" in subject]) == 1
    assert len(addressed_mails) - len(to_buyer) == 2  # the sales rep: received, accepted
    assert (first.status_code, second.status_code, second.json()["code"]) == (201, 409, "FEEDBACK_GIVEN")
    trade.until_audit_is_clean()
