"""Steps that ask the billing service."""

from __future__ import annotations

from temporalio import activity

from oms.billing.v1 import billing_pb2 as pb
from oms.orders.v1 import orders_pb2
from oms.types.v1 import types_pb2
from services.kernel.errors import Refused
from services.kernel.invoicing import EXCHANGE
from workflows.activities.calls import CARD, Services, capture_open, changed_document, charge_fee
from workflows.activities.documents import Documents
from workflows.activities.inventory import NOT_LEFT, NOT_REVERSED
from workflows.messages import AuditCount, Credit, CreditStep, Done, OrderStep


class BillingActivities:
    """The billing service as the workflows know it."""

    def __init__(self, services: Services, documents: Documents) -> None:
        self._services = services
        self._documents = documents

    @activity.defn(name="billing.CommitCredit")
    async def commit_credit(self, step: CreditStep) -> Credit:
        """Count the order against the credit limit; a refusal is an answer."""
        request = pb.CommitCreditRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            customer_id=step.customer_id,
            amount=types_pb2.Money(minor_units=step.amount_minor, currency=step.currency),
            payment_method=step.payment_method,
            deposit=await self._deposit(step),
            card_token=await self._card(step.order_id) if step.payment_method == CARD else "",
        )
        response = await self._services.billing.CommitCredit(request)
        if response.asks_for_order:
            request.order.CopyFrom(await self._documents.order(step.order_id))
            request.request_id = f"{step.request_id}/order"
            response = await self._services.billing.CommitCredit(request)
        return Credit(response.is_granted, response.exposure.minor_units, response.limit.minor_units, response.card)

    async def _deposit(self, step: CreditStep) -> types_pb2.Money | None:
        """What must be here before the goods leave: only one method asks, so only then the order is read for it."""
        return _deposit_of(await self._documents.order(step.order_id)) if step.payment_method == "deposit" else None

    async def _card(self, order_id: str) -> str:
        """The token of the order's card: it goes from orders to billing, and no history holds it.

        One that was given and of which nobody heard what became of it is asked for first, under its own request id.
        """
        found = await self._services.orders.GetCard(orders_pb2.GetCardRequest(order_id=order_id))
        token = found.token
        for given in found.given:
            token = await self._authorized(order_id, given) or token
        return token

    async def _authorized(self, order_id: str, given: orders_pb2.GivenCard) -> str:
        """The token that orders keeps after a card was asked for; empty where no card is taken."""
        asked = pb.AuthorizeCardRequest(request_id=given.request_id, order_id=order_id, card_token=given.token)
        try:
            done = await self._services.billing.AuthorizeCard(asked)
        except Refused:
            return ""
        known = orders_pb2.RecordCardRequest(request_id=given.request_id, order_id=order_id, card=done.card)
        return (await self._services.orders.RecordCard(known)).token

    @activity.defn(name="billing.CaptureInvoice")
    async def capture_invoice(self, step: OrderStep) -> Done:
        """Capture what a shipment's invoice has open. Billing asks the provider until it answers, so nobody waits here."""
        request = pb.CaptureInvoiceRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            shipment_id=step.subject_id,
            card_token=await self._card(step.order_id),
        )
        response = await self._services.billing.CaptureInvoice(request)
        return Done(response.state, is_done=response.state == "captured")

    @activity.defn(name="billing.AdjustCredit")
    async def adjust_credit(self, step: CreditStep) -> Credit:
        """Commit another total than before: the changed order's when a change is named; a refusal is an answer.

        No change alters how the order's money is tested, which its document does not say of one from before cards were taken.
        """
        amount = types_pb2.Money(minor_units=step.amount_minor, currency=step.currency)
        if step.change_id:
            changed = await changed_document(self._services, step.order_id, step.change_id)
            amount, deposit = changed.total, _deposit_of(changed)
        else:
            deposit = await self._deposit(step)
        keeps_part = step.is_forced and not await self._is_let_go(step.order_id)
        request = pb.AdjustCreditRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            customer_id=step.customer_id,
            amount=amount,
            payment_method=step.payment_method,
            is_forced=step.is_forced,
            keeps_part=keeps_part,
            deposit=deposit,
            card_token=await self._card(step.order_id) if step.payment_method == CARD else "",
        )
        response = await self._services.billing.AdjustCredit(request)
        return Credit(response.is_granted, response.exposure.minor_units, response.limit.minor_units, response.card)

    async def _is_let_go(self, order_id: str) -> bool:
        """Whether somebody released a hold on the order's money; where its coming did, there is as much as there is."""
        request = orders_pb2.GetClearanceRequest(order_id=order_id)
        return (await self._services.orders.GetClearance(request)).is_money_let_go

    @activity.defn(name="billing.ReleaseCredit")
    async def release_credit(self, step: OrderStep) -> Done:
        """Give back what was committed and not invoiced, and money of a card, unless the order is cancelled without a refund.

        What cancelling costs is charged first: what is held for the order pays it. Of one that nobody has accepted, its money stays until
        it is recorded whether it was cancelled or rejected.
        """
        found = await self._services.orders.GetClearance(orders_pb2.GetClearanceRequest(order_id=step.order_id))
        await charge_fee(self._services, found.fee)
        request = pb.ReleaseCreditRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            keeps_cash=found.keeps_cash,
            is_fee_due=found.is_fee_due,
        )
        response = await self._services.billing.ReleaseCredit(request)
        return Done(f"{response.released.minor_units} given back")

    @activity.defn(name="billing.IssueInvoice")
    async def issue_invoice(self, step: OrderStep) -> Done:
        """Have a shipment invoiced, now or later by the order's policy; nothing is done for one that is not the order's or has not left."""
        order = await self._documents.order(step.order_id, step.version)
        shipment = await self._documents.shipment_that_left(step.subject_id, step.order_id)
        if shipment is None:
            return Done(NOT_LEFT, is_done=False)
        request = pb.IssueInvoiceRequest(
            request_id=step.request_id,
            order=order,
            shipment_id=shipment.shipment_id,
            lines=[
                types_pb2.LineQuantity(line_id=line.line_id, sku=line.sku, quantity=line.quantity)
                for line in shipment.lines
            ],
            shipped_at_micros=shipment.shipped_at_micros,
        )
        issued = await self._services.billing.IssueInvoice(request)
        if not (issued.HasField("invoice") or issued.HasField("waiting")):
            return Done(NOT_LEFT, is_done=False)
        if issued.waiting.policy == EXCHANGE:
            return Done("in place of returned goods: nothing is invoiced")
        return Done(issued.invoice.number or f"invoiced later: {issued.waiting.policy}")

    @activity.defn(name="billing.ReverseShipmentBilling")
    async def reverse_shipment_billing(self, step: OrderStep) -> Done:
        """Take back what was invoiced of a shipment; nothing is done for one that is not the order's or has left."""
        order = await self._documents.order(step.order_id, step.version)
        shipment = await self._documents.shipment_that_never_left(step.subject_id, step.order_id)
        if shipment is None:
            return Done(NOT_REVERSED, is_done=False)
        request = pb.ReverseShipmentBillingRequest(
            request_id=step.request_id,
            order_id=step.order_id,
            customer_id=order.bill_to_id or order.customer_id,
            currency=order.currency,
            shipment_id=shipment.shipment_id,
            shipment_number=shipment.number,
            reason=shipment.reversal.reason,
            reversed_by=shipment.reversal.reversed_by,
        )
        done = await self._services.billing.ReverseShipmentBilling(request)
        if order.invoicing == EXCHANGE and order.payment_method == CARD:  # another shipment may be charged in its place
            await capture_open(self._services, order.order_id, f"{step.request_id}/capture")
        return Done(" ".join(filter(None, (done.outcome, done.invoice_number, done.credit_note_number))))

    @activity.defn(name="billing.Audit")
    async def audit(self, _ask: Done) -> AuditCount:
        """Broken invariants of the billing service."""
        response = await self._services.billing.Audit(pb.AuditRequest())
        return AuditCount({row.name: row.violations for row in response.invariants if row.violations})


def _deposit_of(order: orders_pb2.Order) -> types_pb2.Money | None:
    return order.deposit if order.HasField("deposit") else None
