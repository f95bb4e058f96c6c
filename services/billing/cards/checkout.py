"""Pages of the provider on which people enter cards: begun, shown, and read until it is known what became of them.

A page is written down before the provider is asked for it. Neither its return address nor an event says what became of it: it is read
there, by whoever comes first, and recorded once.
"""

from datetime import datetime

import structlog
from sqlmodel import Session

from services.billing.cards import reading
from services.billing.cards.desk import CardDesk
from services.billing.cards.provider import PageTerms, Provider, ProviderAway, ProviderRefused
from services.billing.cards.reading import CheckoutRead
from services.billing.domain import cards, checkouts
from services.billing.domain.checkouts import ASKED, COMPLETE, EXPIRED, OPEN, PAYMENT, SETUP, Checkout
from services.billing.domain.credit import CARD
from services.billing.store import checkouts as store
from services.billing.store import credit, invoices, operations, waits
from services.kernel.errors import NotFound, Refused
from services.kernel.ids import new_id
from services.kernel.money import Money

log = structlog.get_logger()

_BATCH = 50
RETURN_ID = "{checkout_id}"
"""What becomes the page's identity in the address that its person comes back to."""


def begin_setup(session: Session, order_id: str, now: datetime) -> Checkout:
    """The page on which a card is entered for an order that waits for one; Refused ORDER_WAITS_FOR_NO_CARD for any other."""
    waiting = waits.of_order(session, order_id)
    if waiting is None or waiting.request.payment_method != CARD:
        raise Refused("ORDER_WAITS_FOR_NO_CARD", "the order does not wait for a card: there is nothing to enter")
    asked = waiting.request
    zero = Money.zero(asked.amount.currency)
    return _begin(session, Checkout(new_id("chk"), SETUP, order_id, asked.customer_id, zero, ASKED, now))


def begin_payment(session: Session, invoice_id: str, now: datetime) -> Checkout:
    """The page on which an invoice is paid, what of it is open; Refused INVOICE_NOT_OPEN and CAPTURE_UNDER_WAY."""
    known = invoices.by_id(session, invoice_id)
    if known is None:
        raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice: look it up in the list")
    credit.take_or_open(session, known.customer_id, known.total.currency)
    invoice = invoices.by_ids(session, [invoice_id])[invoice_id]
    if not invoice.open.minor:
        raise Refused("INVOICE_NOT_OPEN", f"{invoice.number} has nothing open: there is nothing to pay")
    if any(one.is_asked for one in operations.of_subject(session, invoice_id, cards.CAPTURE)):
        raise Refused("CAPTURE_UNDER_WAY", f"{invoice.number} is being charged to its order's card: wait for that")
    wanted = Checkout(
        new_id("chk"), PAYMENT, invoice.order_id, invoice.customer_id, invoice.open, ASKED, now, invoice_id
    )
    return _begin(session, wanted)


def _begin(session: Session, wanted: Checkout) -> Checkout:
    """The newest page of the same subject, if it serves; else the one that is wanted, written down."""
    credit.take_or_open(session, wanted.customer_id, wanted.amount.currency)
    known = store.latest(session, wanted.order_id, wanted.invoice_id)
    if known and checkouts.serves(known, wanted.amount, wanted.asked_at, is_used=_is_used(session, known)):
        return known
    store.add(session, wanted, checkouts.next_read(wanted, wanted.asked_at))
    return wanted


def _is_used(session: Session, known: Checkout) -> bool:
    """Whether the card that was entered on a page has been tried."""
    tried = (one.token_digest for one in operations.of_order(session, known.order_id) if one.kind == cards.AUTHORIZE)
    return known.state == COMPLETE and known.token_digest in tried


def show(desk: CardDesk, checkout_id: str, return_url: str) -> Checkout:
    """A page that the provider has been asked to show; asked while it has not answered, or somebody asks it now."""
    known = reading.by_id(desk, checkout_id)
    if known.state != ASKED or desk.provider is None:
        return known
    provider = desk.provider
    return desk.patience.wait(lambda: _show(desk, provider, known, return_url)) or known


def _show(desk: CardDesk, provider: Provider, known: Checkout, return_url: str) -> Checkout:
    back = return_url.replace(RETURN_ID, known.checkout_id)
    terms = PageTerms(known.checkout_id, known.order_id, _label(desk, known), back, known.expires_at)
    page = None
    try:
        if _end_others(desk, provider, known):
            page = provider.open_page(terms, known.amount)
    except ProviderAway as away:
        log.warning("provider.away", checkout_id=known.checkout_id, error=str(away))
        return known
    except ProviderRefused as refusal:
        log.warning("checkout.refused", checkout_id=known.checkout_id, code=refusal.code)
    with desk.database.transaction() as session:
        if page is None:
            store.refuse(session, known.checkout_id)
        else:
            store.opened(session, known.checkout_id, page.provider_id, page.url)
    return reading.by_id(desk, known.checkout_id)


def _end_others(desk: CardDesk, provider: Provider, known: Checkout) -> bool:
    """End the pages that serve no more, so that nothing is paid on two; whether none of them was used before it ended."""
    with desk.database.reading() as session:
        others = store.open_ones(session, known.order_id, known.invoice_id)
    is_unused = True
    for other in others:
        provider.end_page(other.provider_id)
        found = reading.read(desk, other.checkout_id)
        if found.is_away:
            raise ProviderAway("a page was not read")
        is_unused = is_unused and found.checkout.state == EXPIRED
    return is_unused


def _label(desk: CardDesk, known: Checkout) -> str:
    """What is paid, as the provider's page says it."""
    if not known.invoice_id:
        return ""
    with desk.database.reading() as session:
        return f"Invoice {invoices.by_ids(session, [known.invoice_id])[known.invoice_id].number}"


def read_of(desk: CardDesk, checkout_id: str, subject_id: str) -> CheckoutRead:
    """What became of a page of an order or an invoice, read at the provider; NotFound CHECKOUT_NOT_FOUND for any other."""
    with desk.database.reading() as session:
        known = store.by_id(session, checkout_id)
    if known is None or known.subject_id != subject_id:
        raise NotFound("CHECKOUT_NOT_FOUND", "there is no such payment page here: start again")
    return desk.patience.wait(lambda: reading.read(desk, checkout_id)) or CheckoutRead(known, is_away=True)


def read_due(desk: CardDesk) -> bool:
    """Read the open pages whose time has come, as long as the provider answers; whether anything became of one."""
    now, is_moved = desk.clock(), False
    with desk.database.reading() as session:
        due = store.due(session, now, _BATCH)
    for checkout_id in due:
        with desk.database.transaction() as session:
            known = store.by_id(session, checkout_id)
            assert known is not None, "pages are never deleted"
            store.note_read(session, checkout_id, checkouts.next_read(known, now))
        try:
            found = reading.read(desk, checkout_id)
        except (
            Exception
        ):  # whatever it is, the page is read again when its time comes, and leaves the others their turn
            log.exception("checkout.failed", checkout_id=checkout_id)
            continue
        if found.is_away:
            break  # each of the others would wait for an answer as long
        is_moved = is_moved or found.checkout.state != OPEN
    return is_moved
