"""Fulfilling an order: stock is held for it, and its warehouses are given what is held."""

from __future__ import annotations

from dataclasses import replace

from temporalio import workflow

from workflows.order_life import HOLDS, OrderLife

with workflow.unsafe.imports_passed_through():
    from workflows import facts, names
    from workflows.facts import OrderState
    from workflows.messages import FactNote, Release, Reservation

WAITING = "waiting"
CLEARED = "cleared"


class Fulfilling:
    """Stock and warehouses."""

    def __init__(self, life: OrderLife) -> None:
        self.life = life

    async def reserve(self) -> bool:
        """Hold what stock allows, the rest waits as backorders; False when nobody can carry it to the address."""
        with workflow.create_event_group("reserve and release").scope():
            held = await self._hold()
        self.life.state = OrderState(is_reserved=not held.is_undeliverable, backordered=held.backordered)
        return not held.is_undeliverable

    async def _hold(self) -> Reservation:
        """What was held for a lost run is put right: a version may have come of which stock has not heard."""
        standing = self.life.standing
        if standing is not None and standing.is_reserved:
            return await self.life.steps.adjust_reservation()
        return await self.life.steps.reserve()

    async def release(self, withholding_change_id: str = "", *, is_notified: bool = False) -> Release | None:
        """Give what is held to the warehouses, unless the order ships complete and something is still missing.

        Who `is_notified` that stock has come asks inventory: the step itself sees what is missing.
        """
        if self._is_missing_something(is_notified=is_notified):
            return None
        with workflow.create_event_group("reserve and release").scope():
            released = await self.life.steps.release_shipments(withholding_change_id)
        if released.uncovered:
            self.life.withheld_by = HOLDS
        return released

    async def release_if_clear(self, *, is_notified: bool = False) -> Release | None:
        """Release what the rules let go today; what they or a pending change hold back stays allocated until that is over."""
        life = self.life
        if not self._is_asked_again():
            return await self.release(is_notified=is_notified)
        if self._is_missing_something(is_notified=is_notified):
            return None
        with workflow.create_event_group("clear the release").scope():
            cleared = await life.steps.clear_release()
        life.clearance = cleared.clearance
        life.withheld_by = cleared.clearance.withholding_change_id if cleared.is_clear else HOLDS
        if not cleared.is_clear:
            return None
        return await self.release(cleared.clearance.withholding_change_id, is_notified=is_notified)

    def _is_missing_something(self, *, is_notified: bool) -> bool:
        life = self.life
        is_asking = is_notified and life.order.reads_truth
        return life.order.is_ship_complete and bool(life.state.backordered) and not is_asking

    def _is_asked_again(self) -> bool:
        """Orders that were placed before releases were cleared do so from their next turn on: what is replayed stays as it was."""
        return self.life.order.clears_releases or workflow.patched(f"cleared-release/{self.life.steps.turn}")

    async def accept(self) -> None:
        """Everything that can leave is with its warehouses; a change that somebody has proposed just now is looked at first.

        A run that goes on for a lost one asks again what it may release: what people cleared may be held or withheld by now. It
        records what is promised in any case, for the lost one may have done anything but that.
        """
        life = self.life
        was_accepted = life.standing is not None and life.standing.is_accepted
        released = await (self.release_if_clear() if self._is_asked_first() else self.release())
        if not was_accepted:
            await life.record("accepted")
        elif (released is not None and released.shipments) or workflow.patched("recorded-resumption"):
            await life.record("allocated")

    def _is_asked_first(self) -> bool:
        """Runs from before every resumed one asked first go on as they began: they asked for orders that were accepted."""
        life = self.life
        is_proposed = any(kind in names.REFRESHES for kind, _ in life.inbox)
        if life.order.clears_releases and is_proposed:
            return True
        return life.standing is not None and (life.standing.is_accepted or workflow.patched("cleared-resumption"))

    async def release_changed(self) -> None:
        """The version that a change has just made, whose rules were asked with it."""
        self.life.withheld_by = HOLDS if self.life.clearance.state == WAITING else ""
        if not self.life.withheld_by:
            await self.release()

    async def release_withheld(self) -> None:
        """What the last release left out, once that no longer stands against it."""
        by, now = self.life.withheld_by, self.life.clearance
        if not by or now.state != CLEARED or by == now.withholding_change_id:
            return
        await self.release_and_record(is_notified=True)

    async def recall_unpaid(self, hold_id: str) -> None:
        """A payment is said to be reversed: what is not picked comes back, and is released again once the order's holds are gone."""
        recall = await self.life.steps.recall_unpaid(hold_id)
        if recall.state != "not_asked":
            self.life.withheld_by = HOLDS

    async def source_again(self) -> None:
        """What cannot come from where it was to comes from elsewhere, and is released as far as the rules let it go today."""
        life = self.life
        with workflow.create_event_group("source again").scope():
            cleared = await life.steps.clear_release()
            life.clearance, change_id = cleared.clearance, cleared.clearance.withholding_change_id
            life.withheld_by = change_id if cleared.is_clear else HOLDS
            sourced = await life.steps.source_again(change_id, is_released=cleared.is_clear)
        life.is_sourcing_asked = sourced.is_to_be_repeated
        if not sourced.is_asked:
            return
        if sourced.release is not None:
            self._is_new(sourced.release, life.state.backordered)
            life.withheld_by = HOLDS if sourced.release.uncovered else life.withheld_by
        await life.record("sourced_again", reason=sourced.why)

    async def release_recalled(self) -> None:
        """While a recall was pending its lines were withheld; that they are released was not recorded before."""
        if self.life.is_sourcing_asked:
            await self.source_again()
            return
        if workflow.patched(f"recorded-recall/{self.life.steps.turn}"):
            await self.release_and_record()
        else:
            await self.release_if_clear()

    async def release_and_record(self, *, is_notified: bool = False) -> None:
        """Release what the rules let go today, and record it if anything of it is new."""
        before = self.life.state.backordered
        released = await self.release_if_clear(is_notified=is_notified)
        if self.life.order.reads_truth and released is not None and self._is_new(released, before):
            await self.life.record("allocated")

    async def allocate(self, note: FactNote) -> None:
        """Stock is said to have come for units that waited: what has come is released, and nothing is recorded of what has not.

        What is held back stays allocated, and is recorded when it is released.
        """
        life, before = self.life, self.life.state.backordered
        if not life.order.reads_truth:
            life.state = facts.apply(life.state, names.STOCK_ALLOCATED, note)
        released = await self.release_if_clear(is_notified=True)
        is_new = released is not None and self._is_new(released, before)
        if is_new or not life.order.reads_truth:
            await life.record("allocated", note.subject_id)

    def _is_new(self, released: Release, before: int) -> bool:
        """Whether anything left or fewer units wait than before; how many do is remembered."""
        if released.backordered < 0:
            return True
        self.life.state = replace(self.life.state, backordered=released.backordered)
        return bool(released.shipments) or released.backordered != before
