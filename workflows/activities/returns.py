"""Steps of returns: each does its part in one service and records in orders that it did."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import activity

from oms.billing.v1 import billing_pb2
from oms.facts.v1 import facts_pb2
from oms.fulfillment.v1 import fulfillment_pb2
from oms.inventory.v1 import inventory_pb2
from oms.orders.v1 import orders_pb2 as pb
from oms.types.v1 import types_pb2
from workflows.activities.calls import Services
from workflows.messages import Done
from workflows.return_messages import Following, ReturnStep

CUSTOMER = "customer"
_WITHOUT_GOODS = ("keep", "in_advance")


class ReturnActivities:
    """What the workflow of a return asks of the services."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="orders.AdvanceReturn")
    async def advance_return(self, step: ReturnStep) -> Following:
        """What comes next, once a deadline that has passed is heeded, or what halted it is kept."""
        done = "halted" if step.halted else ""
        return await self._advance(step, done=done, passed_micros=step.passed_micros, reason=step.halted)

    @activity.defn(name="fulfillment.ExpectReturn")
    async def expect_return(self, step: ReturnStep) -> Following:
        """Announce the goods; those of a parcel that came unannounced are here already."""
        found = await self._document(step)
        expected = fulfillment_pb2.ExpectedReturn(
            return_id=found.return_id,
            number=found.number,
            order_id=found.order_id,
            order_number=found.order_number,
            lines=[
                fulfillment_pb2.ReturnLine(
                    line_id=line.line_id, sku=line.sku, description=line.description, quantity=line.quantity
                )
                for line in found.lines
            ],
        )
        request = fulfillment_pb2.ExpectReturnRequest(
            request_id=step.request_id,
            expected=expected,
            arrived_in=found.arrived_in,
            received_by=found.received_by,
        )
        await self._services.fulfillment.ExpectReturn(request)
        return await self._advance(step, done="announced")

    @activity.defn(name="fulfillment.CloseReturn")
    async def close_return(self, step: ReturnStep) -> Following:
        """Take no more goods; what had come until then counts."""
        request = fulfillment_pb2.CloseReturnRequest(request_id=step.request_id, return_id=step.return_id)
        closed = (await self._services.fulfillment.CloseReturn(request)).expected
        return await self._advance(
            step,
            done="closed",
            received={line.line_id: facts_pb2.LineReturned(received=line.received) for line in closed.lines},
        )

    @activity.defn(name="inventory.TakeReturn")
    async def take_return(self, step: ReturnStep) -> Done:
        """Take the goods of an inspection back, wherever they are; those that are credited without goods are nowhere."""
        found = await self._document(step)
        inspection = _inspection(found, step.inspection_id)
        units: dict[tuple[str, str], int] = {}
        for one in inspection.units:
            units[one.sku, one.disposition] = units.get((one.sku, one.disposition), 0) + one.quantity
        said = Done(", ".join(f"{count} to {what}" for (_, what), count in sorted(units.items())))
        here = [(sku, what, count) for (sku, what), count in sorted(units.items()) if what not in _WITHOUT_GOODS]
        if not here:
            return said
        request = inventory_pb2.TakeReturnRequest(
            request_id=step.request_id,
            order_id=found.order_id,
            return_id=found.return_id,
            warehouse_id=inspection.warehouse_id,
            units=[inventory_pb2.ReturnedUnits(sku=sku, quantity=count, disposition=what) for sku, what, count in here],
        )
        await self._services.inventory.TakeReturn(request)
        return said

    @activity.defn(name="billing.CreditReturn")
    async def credit_return(self, step: ReturnStep) -> Following:
        """Credit the goods of an inspection; a fee is kept of those for which the customer answers.

        What was credited before it came, and what is replaced without documents, is left out.
        """
        found = await self._document(step)
        lines = credited_lines(found, _inspection(found, step.inspection_id))
        request = billing_pb2.CreditReturnRequest(
            request_id=step.request_id,
            order_id=found.order_id,
            return_id=found.return_id,
            number=found.number,
            lines=lines,
            reason=f"return {found.number}",
        )
        notes = (await self._services.billing.CreditReturn(request)).credit_notes if lines else ()
        return await self._advance(
            step,
            done="credited",
            inspection_id=step.inspection_id,
            credit_notes=[note.number for note in notes],
            credited=_total([note.total for note in notes]),
            fee=_total([note.fee for note in notes]),
        )

    async def _document(self, step: ReturnStep) -> pb.ReturnDocument:
        return (await self._services.orders.GetReturn(pb.GetReturnRequest(return_id=step.return_id))).document

    async def _advance(self, step: ReturnStep, **done: object) -> Following:
        request = pb.AdvanceReturnRequest(request_id=step.request_id, return_id=step.return_id, **done)  # type: ignore[arg-type]  # members of the request by name
        said = await self._services.orders.AdvanceReturn(request)
        return Following(said.next, said.inspection_id, said.deadline_micros, said.state, list(request.credit_notes))


def _total(amounts: Sequence[types_pb2.Money]) -> types_pb2.Money | None:
    """What they come to; None of none, for units that somebody had credited before they came."""
    if not amounts:
        return None
    return types_pb2.Money(minor_units=sum(one.minor_units for one in amounts), currency=amounts[0].currency)


def _inspection(found: pb.ReturnDocument, inspection_id: str) -> pb.ReturnInspection:
    return next(one for one in found.inspections if one.inspection_id == inspection_id)


def credited_lines(found: pb.ReturnDocument, inspection: pb.ReturnInspection) -> list[billing_pb2.ReturnedLine]:
    """Units by line, by whether the customer answers for them and whether a fee is kept of them, less those that were credited before they came, of which none was kept, and
    those that are replaced without documents.
    """
    shipments = {line.line_id: line.shipment_id for line in found.lines}
    before = dict(inspection.credited_before)
    units: dict[tuple[str, bool, bool], int] = {}
    for one in inspection.units:
        is_theirs = one.responsible == CUSTOMER
        key = one.line_id, is_theirs and one.line_id in inspection.fee_line_ids, not is_theirs
        had = min(before.get(one.line_id, 0), one.quantity)
        before[one.line_id] = before.get(one.line_id, 0) - had
        if one.quantity > had:
            units[key] = units.get(key, 0) + one.quantity - had
    replaced = dict(inspection.replaced)
    for key in sorted(units):
        part = min(units[key], replaced.get(key[0], 0))
        replaced[key[0]] = replaced.get(key[0], 0) - part
        units[key] -= part
    return [
        billing_pb2.ReturnedLine(
            line_id=line_id,
            quantity=count,
            shipment_id=shipments[line_id],
            fee_percent=found.fee_percent if bears_fee else "",
            fee_of_unit=found.fee_of_unit if bears_fee and found.HasField("fee_of_unit") else None,
            is_ours=is_ours,
        )
        for (line_id, bears_fee, is_ours), count in sorted(units.items())
        if count
    ]
