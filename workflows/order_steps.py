"""What an order's workflow asks of the services: one method a step, each with its business key and a sentence for the timeline."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import names
    from workflows.facts import OrderState
    from workflows.messages import (
        Applied,
        ApplyStep,
        ChangeStep,
        Clearance,
        Completeness,
        Credit,
        CreditStep,
        DeadlineStep,
        Done,
        OrderRef,
        OrderStep,
        Recall,
        Recorded,
        RecordStep,
        Release,
        ReleaseCleared,
        Reservation,
        Standing,
        Stop,
        Stopped,
        ValidateStep,
        Validation,
    )
    from workflows.sourcing_messages import SourcedAgain, SourceStep
    from workflows.steps import slow_step, step

INTERRUPTED = "interrupted"
_ENDS = ("closed", "cancelled", "failed", INTERRUPTED)
_DEADLINES = {
    "remind": "Reminder: {about} of {number}",
    "escalate": "Escalation: {about} of {number}",
    "expire_review": "Review deadline: {about} of {number}",
    "expire_consent": "Consent deadline: {about} of {number}",
    "resume_release": "Release deadline: {about} of {number}",
    "escalate_recall": "Escalation: {about} of {number}",
}


def deadline_summary(clearance: Clearance, number: str) -> str:
    """What a deadline is, as its timer and the step behind it say it: "Reminder: manager approval of SO-1"."""
    text = _DEADLINES.get(clearance.deadline, "Deadline: {about} of {number}")
    return text.format(about=clearance.deadline_about or "decision", number=number)


class OrderSteps:
    """The steps of one order; `order` is its version in force, `turn` counts what the workflow woke up for."""

    def __init__(self, order: OrderRef) -> None:
        self.order = order
        self.turn = 0

    def key(self, action: str) -> str:
        """The business key of an action: the same for every try.

        A run that goes on for a lost one has keys of its own: its turns are others, and what the lost one was answered may no
        longer be so. Every service finds by the order itself what was done already.
        """
        run = f"run-{self.order.resumption}/" if self.order.resumption else ""
        return f"order/{self.order.order_id}/{run}{action}"

    def becomes(self, applied: Applied) -> None:
        """The order at the version that a change has made."""
        self.order = replace(
            self.order,
            version=applied.version,
            total_minor=applied.total_minor,
            total_text=applied.total_text,
            is_ship_complete=applied.is_ship_complete,
        )

    def counts_on_credit(self) -> None:
        """The order is by card, and from before cards were taken: nothing is authorized for it."""
        self.order = replace(self.order, pays_by_card=False)

    def _of_order(self, action: str, reason: str = "") -> OrderStep:
        return OrderStep(self.key(action), self.order.order_id, "", reason, self.order.version)

    def _of_shipment(self, action: str, shipment_id: str) -> OrderStep:
        """What is done once with a shipment has one key, whichever run of the order does it."""
        key = f"order/{self.order.order_id}/{action}/{shipment_id}"
        return OrderStep(key, self.order.order_id, shipment_id, version=self.order.version)

    # Clearing: credit, rules, people.

    async def commit_credit(self) -> Credit:
        """Count the order against the customer's credit limit."""
        order = self.order
        request = CreditStep(
            self.key("credit/1"),
            order.order_id,
            order.payer_id,
            order.total_minor,
            order.currency,
            self._payment_method(),
        )
        summary = f"commit {order.total_text} to the credit of {order.payer_id}"
        return await step("billing.CommitCredit", request, Credit, summary=summary)

    def _payment_method(self) -> str:
        """How billing tests the order's money: by card where one is authorized for it, else against credit."""
        order = self.order
        return "terms" if order.payment_method == "card" and not order.pays_by_card else order.payment_method

    async def validate(self, credit: Credit) -> Validation:
        """Run every rule."""
        order = self.order
        request = ValidateStep(self.key("validate/1"), order.order_id, credit, order.currency)
        return await step("orders.ValidateOrder", request, Validation, summary=f"run every rule on {order.number}")

    async def read_clearance(self) -> Clearance:
        """What stands between the order and its warehouses, as the database has it."""
        request = self._of_order(f"clearance/{self.turn}")
        return await step(
            "orders.GetClearance", request, Clearance, summary=f"what does {self.order.number} still wait for?"
        )

    async def read_standing(self) -> Standing:
        """Where the order stands, for a run that goes on for a lost one."""
        summary = f"where do goods and money of {self.order.number} stand?"
        return await step("orders.GetStanding", self._of_order("standing"), Standing, summary=summary)

    async def check_completeness(self) -> Completeness:
        """Whether all is delivered and settled, as the services say."""
        summary = f"is all of {self.order.number} delivered and settled?"
        request = self._of_order(f"completeness/{self.turn}")
        return await step("orders.CheckCompleteness", request, Completeness, summary=summary)

    async def pass_deadline(self, passed: Clearance) -> Clearance:
        """Remind, escalate or expire, unless somebody was quicker."""
        order = self.order
        request = DeadlineStep(
            self.key(f"deadline/{passed.deadline}/{passed.subject_id}/{passed.deadline_micros}"),
            order.order_id,
            passed.deadline,
            passed.subject_id,
            passed.deadline_micros,
        )
        summary = deadline_summary(passed, order.number)
        return await step("orders.PassDeadline", request, Clearance, summary=summary)

    async def release_credit(self) -> Done:
        """Give the customer's credit back."""
        request = self._of_order("credit/release")
        return await step(
            "billing.ReleaseCredit", request, Done, summary=f"give back the credit of {self.order.number}"
        )

    # Stock and warehouses.

    async def reserve(self) -> Reservation:
        """Hold what stock allows; the rest waits as backorders."""
        request = self._of_order("reserve/1")
        return await step(
            "inventory.ReserveStock", request, Reservation, summary=f"reserve stock for {self.order.number}"
        )

    async def hold_undeliverable(self, state: OrderState) -> Clearance:
        """Nobody can carry the goods: support must know before anything is promised."""
        await self.record("undeliverable", "", state, "support: no carrier serves the address")
        return await self.read_clearance()

    async def release_stock(self) -> Done:
        """Let others have what was held."""
        request = self._of_order("reserve/release", reason="the order ended")
        return await step(
            "inventory.ReleaseReservation", request, Done, summary=f"free the stock of {self.order.number}"
        )

    async def clear_release(self) -> ReleaseCleared:
        """Ask the rules again: weeks may have passed since they were content."""
        number = self.order.number
        request = self._of_order(f"clear-release/{self.turn}")
        summary = f"check the rules again before {number} goes to its warehouses"
        return await step("orders.ClearRelease", request, ReleaseCleared, summary=summary)

    async def release_shipments(self, withholding_change_id: str = "") -> Release:
        """Give the warehouses what is held and no shipment carries yet, but for the lines that a change holds back."""
        request = replace(self._of_order(f"release/{self.turn}"), subject_id=withholding_change_id)
        held_back = ", but for what a pending change holds back" if withholding_change_id else ""
        summary = f"release {self.order.number} to its warehouses{held_back}"
        return await step("fulfillment.ReleaseShipments", request, Release, summary=summary)

    async def source_again(self, withholding_change_id: str, *, is_released: bool) -> SourcedAgain:
        """What is open comes from elsewhere: warehouses give back what they have not picked, and others get it."""
        asked = self._of_order(f"source/{self.turn}")
        request = SourceStep(asked.request_id, asked.order_id, asked.version, is_released, withholding_change_id)
        summary = f"source again what is open of {self.order.number}"
        return await step("fulfillment.SourceAgain", request, SourcedAgain, summary=summary)

    async def stop_shipments(self) -> Stopped:
        """Stop what has not left."""
        return await self._stop("stop", f"stop what has not left of {self.order.number}")

    async def stop_whole_order(self, cancellation_id: str) -> Stopped:
        """Stop every shipment if that was asked for, or none when one has left: what is not cancelled goes on as it was."""
        return await self._stop("cancel", f"stop {self.order.number} unless something has left", cancellation_id)

    async def _stop(self, verb: str, summary: str, cancellation_id: str = "") -> Stopped:
        asked = self._of_order(f"{verb}/{self.turn}", reason="the order ended")
        request = Stop(asked.request_id, asked.order_id, asked.reason, bool(cancellation_id), cancellation_id)
        return await step("fulfillment.CancelShipments", request, Stopped, summary=summary)

    async def ship_stock(self, shipment_id: str) -> Done:
        """Take what left off stock."""
        request = self._of_shipment("ship", shipment_id)
        return await step(
            "inventory.ShipStock", request, Done, summary=f"take what left of {self.order.number} off stock"
        )

    async def issue_invoice(self, shipment_id: str) -> Done:
        """Invoice what left."""
        request = self._of_shipment("invoice", shipment_id)
        return await step("billing.IssueInvoice", request, Done, summary=f"invoice what left of {self.order.number}")

    async def put_stock_back(self, shipment_id: str) -> Done:
        """What a shipment took off stock that never left is back."""
        request = self._of_shipment("put-back", shipment_id)
        summary = f"put back what had not left of {self.order.number}"
        return await step("inventory.ReverseIssue", request, Done, summary=summary)

    async def reverse_billing(self, shipment_id: str) -> Done:
        """The invoice of a shipment that never left is credited."""
        request = self._of_shipment("reverse-billing", shipment_id)
        summary = f"take back the invoice of what had not left of {self.order.number}"
        return await step("billing.ReverseShipmentBilling", request, Done, summary=summary)

    async def capture_invoice(self, shipment_id: str) -> Done:
        """Capture what was invoiced from the order's card: foreign work, on a queue of its own."""
        request = self._of_shipment("capture", shipment_id)
        summary = f"capture what was invoiced of {self.order.number} from its card"
        return await slow_step("billing.CaptureInvoice", request, Done, queue=names.PAYMENT_QUEUE, summary=summary)

    # Changes.

    def _of_change(self, action: str, change_id: str, verb: str = "", reason: str = "") -> ChangeStep:
        return ChangeStep(self.key(f"{action}/{change_id}"), self.order.order_id, change_id, verb, reason)

    async def request_recall(self, change_id: str) -> Recall:
        """Ask the warehouses for what a change takes away from them."""
        request = replace(self._of_change("recall", change_id), request_id=self.key(f"recall/{change_id}/{self.turn}"))
        summary = f"ask the warehouses to give back what the change to {self.order.number} drops"
        return await step("fulfillment.RequestRecall", request, Recall, summary=summary)

    async def withdraw_recall(self, change_id: str) -> Done:
        """Ask the warehouses no more for what a cancellation that was withdrawn would have taken away."""
        request = self._of_change("recall/withdraw", change_id, reason="the cancellation was withdrawn")
        summary = f"ask the warehouses for nothing more of the cancellation of {self.order.number}"
        return await step("fulfillment.WithdrawRecall", request, Done, summary=summary)

    async def recall_unpaid(self, hold_id: str) -> Recall:
        """Ask the warehouses for what is not picked of an order whose payment was reversed."""
        request = replace(self._of_order(f"recall/unpaid/{self.turn}"), subject_id=hold_id)
        summary = f"ask the warehouses to give back what is not paid of {self.order.number}"
        return await step("fulfillment.RecallUnpaid", request, Recall, summary=summary)

    async def record_change(self, change_id: str, verb: str, reason: str = "") -> Clearance:
        """Note that a change waits for the warehouse, or that it cannot come about."""
        request = self._of_change(f"change/{verb}", change_id, verb, reason)
        words = "is waiting on the warehouse" if verb == "recall" else "cannot come about"
        summary = f"record that the change to {self.order.number} {words}"
        return await step("orders.RecordChange", request, Clearance, summary=summary)

    async def adjust_credit(self, action: str, change_id: str = "", *, is_forced: bool = False) -> Credit:
        """Hold what the order comes to against the credit limit: with a change, or the version in force without one."""
        order = self.order
        request = CreditStep(
            self.key(f"credit/{action}"),
            order.order_id,
            order.payer_id,
            order.total_minor,
            order.currency,
            self._payment_method(),
            is_forced,
            change_id,
        )
        what = f"the changed total of {order.number}" if change_id else order.total_text
        summary = f"commit {what} to the credit of {order.payer_id}"
        return await step("billing.AdjustCredit", request, Credit, summary=summary)

    async def apply_change(self, change_id: str, credit: Credit) -> Applied:
        """Make the change the order's next version."""
        order = self.order
        request = ApplyStep(self.key(f"apply/{change_id}"), order.order_id, change_id, credit, order.currency)
        return await step("orders.ApplyChange", request, Applied, summary=f"make the next version of {order.number}")

    async def adjust_reservation(self) -> Reservation:
        """Hold what the version in force wants: no more, no less. What is held so already changes nothing."""
        order = self.order
        request = self._of_order(f"reserve/v{order.version}")
        summary = f"hold what version {order.version} of {order.number} wants"
        return await step("inventory.AdjustReservation", request, Reservation, summary=summary)

    # Telling.

    async def record(self, milestone: str, subject_id: str, state: OrderState, reason: str = "") -> Recorded:
        """The last step of a turn: what people read in lists, pages and mails follows from it."""
        order = self.order
        request = RecordStep(
            self.key(f"record/{self.turn}/{milestone}"),
            order.order_id,
            0 if milestone == INTERRUPTED else order.version,  # that it ends is true of any version
            milestone,
            reason,
            subject_id,
            bool(state.backordered),
        )
        waits = state.backordered and milestone not in _ENDS
        short = f", {state.backordered} units wait for stock" if waits else ""
        summary = f"record that {order.number} is {milestone}{short}"
        return await step("orders.RecordOrder", request, Recorded, summary=summary)
