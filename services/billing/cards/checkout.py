"""Pages of the provider on which people enter cards: begun, shown, and read until it is known what became of them.

A page is written down before the provider is asked for it. Neither its return address nor an event says what became of it: it is read
there, by whoever comes first, and recorded once. No two pages of an order's card, or of an invoice, are open at a time.
"""

from datetime import datetime

import structlog
from sqlmodel import Session

from services.billing.cards import payable, reading
from services.billing.cards.desk import CardDesk
from services.billing.cards.provider import Page, PageTerms, Provider, ProviderAway, ProviderRefused
from services.billing.cards.reading import CheckoutRead
from services.billing.domain import cards, checkouts
from services.billing.domain.checkouts import ASKED, COMPLETE, EXPIRED, OPEN, PAYMENT, SETUP, Checkout
from services.billing.domain.consolidated import check_of_one_order
from services.billing.domain.credit import CARD, CreditRequest
from services.billing.store import checkouts as store
from services.billing.store import credit, invoice_pages, invoices, operations, waits
from services.kernel.clock import next_day
from services.kernel.errors import NotFound, Refused
from services.kernel.ids import new_id
from services.kernel.money import Money
from services.runtime import sessions

log = structlog.get_logger()

_BATCH = 50
RETURN_ID = "{checkout_id}"
"""What becomes the page's identity in the address that its person comes back to."""


def begin_setup(session: Session, order_id: str, now: datetime) -> Checkout:
    """The page on which a card is entered for an order that waits for one; Refused ORDER_WAITS_FOR_NO_CARD for any other."""
    before = _waiting(session, order_id)
    credit.take_or_open(session, before.customer_id, before.amount.currency)
    asked = _waiting(session, order_id)  # it may have gone on before the account was taken
    zero = Money.zero(asked.amount.currency)
    return _begin(session, Checkout(new_id("chk"), SETUP, order_id, asked.customer_id, zero, ASKED, now))


def _waiting(session: Session, order_id: str) -> CreditRequest:
    """What an order that waits for a card waits for."""
    waiting = waits.of_order(session, order_id)
    if waiting is None or waiting.request.payment_method != CARD:
        raise Refused("ORDER_WAITS_FOR_NO_CARD", "the order does not wait for a card: there is nothing to enter")
    return waiting.request


def begin_payment(session: Session, invoice_id: str, now: datetime) -> Checkout:
    """The page on which an invoice is paid, what settles it today; Refused INVOICE_NOT_OPEN and CAPTURE_UNDER_WAY.

    Of one of several orders each share is paid by itself: Refused INVOICE_OF_SEVERAL_ORDERS.
    """
    known = invoice_pages.by_any_ids(session, [invoice_id]).get(invoice_id)
    if known is None:
        raise NotFound("INVOICE_NOT_FOUND", "there is no such invoice: look it up in the list")
    check_of_one_order(known)
    credit.take_or_open(session, known.customer_id, known.total.currency)
    amount = payable.amount(session, invoice_id, now)
    return _begin(
        session, Checkout(new_id("chk"), PAYMENT, known.order_id, known.customer_id, amount, ASKED, now, invoice_id)
    )


def _begin(session: Session, wanted: Checkout) -> Checkout:
    """The newest page of the same subject, if it serves; else the one that is wanted, written down. The account is taken.

    One that was asked for before, and is not shown yet, is not shown any more.
    """
    known = store.latest(session, wanted.order_id, wanted.invoice_id)
    if known and checkouts.serves(known, wanted.amount, wanted.asked_at, is_used=_is_used(session, known)):
        return known
    store.supersede(session, wanted.order_id, wanted.invoice_id)
    store.add(session, wanted, _next_read(session, wanted, wanted.asked_at))
    return wanted


def _is_used(session: Session, known: Checkout) -> bool:
    """Whether the card that was entered on a page has been tried."""
    tried = (one.token_digest for one in operations.of_order(session, known.order_id) if one.kind == cards.AUTHORIZE)
    return known.state == COMPLETE and known.token_digest in tried


def _next_read(session: Session, known: Checkout, now: datetime) -> datetime:
    """When to read a page again; also when another day begins, on which its invoice may ask for more."""
    return min(checkouts.next_read(known, now), next_day(now, sessions.time_zone(session)))


def show(desk: CardDesk, checkout_id: str, return_url: str) -> Checkout:
    """A page that the provider has been asked to show; asked while it has not answered, or somebody asks it now.

    An earlier page of the same subject instead, if that turns out to have been used. Refused PAGE_REFUSED when none is shown.
    """
    known, provider = reading.by_id(desk, checkout_id), desk.provider
    if known.state == ASKED and provider is not None:
        asked = known
        known = desk.patience.wait(lambda: _show(desk, provider, asked, return_url)) or known
    with desk.database.reading() as session:
        is_shown = known.state != OPEN or payable.is_wanted(session, known, desk.clock())
    if known.state == EXPIRED or not is_shown:
        raise Refused("PAGE_REFUSED", "the payment provider does not show this page: start again, or pay another way")
    return known


def _show(desk: CardDesk, provider: Provider, known: Checkout, return_url: str) -> Checkout:
    back = return_url.replace(RETURN_ID, known.checkout_id)
    terms = PageTerms(known.checkout_id, known.order_id, _label(desk, known), back, known.expires_at)
    try:
        used = _end_others(desk, known)
        page = None if used else provider.open_page(terms, known.amount)
    except ProviderAway as away:
        log.warning("provider.away", checkout_id=known.checkout_id, error=str(away))
        return reading.by_id(desk, known.checkout_id)
    except ProviderRefused as refusal:
        log.warning("checkout.refused", checkout_id=known.checkout_id, code=refusal.code)
        used, page = None, None
    if page is not None:
        return _opened(desk, provider, known, page)
    with desk.database.transaction() as session:
        store.refuse(session, known.checkout_id)
    return used or reading.by_id(desk, known.checkout_id)


def _end_others(desk: CardDesk, known: Checkout) -> Checkout | None:
    """End the pages that serve no more, so that nothing is paid on two; the one of them that was used before it ended.

    They are older: a newer one is shown only once this one is given up.
    """
    with desk.database.reading() as session:
        stands = store.by_id(session, known.checkout_id)
        others = store.open_ones(session, known.order_id, known.invoice_id)
    if stands is None or stands.state != ASKED:
        return None  # it is shown already, or another has taken its place
    used = None
    for other in others:
        found = reading.end(desk, other.checkout_id)
        if found.is_away:
            raise ProviderAway("a page was not read")
        if found.checkout.state == OPEN:
            raise ProviderRefused("page_not_ended", "an earlier page is still open")
        used = found.checkout if found.checkout.state == COMPLETE else used
    return used


def _opened(desk: CardDesk, provider: Provider, known: Checkout, page: Page) -> Checkout:
    """The page with its address, unless another has taken its place or its invoice asks for it no more: then it is ended unseen."""
    with desk.database.transaction() as session:
        credit.take_or_open(session, known.customer_id, known.amount.currency)
        if payable.is_wanted(session, known, desk.clock()):
            store.opened(session, known.checkout_id, page.provider_id, page.url)
        else:
            store.refuse(session, known.checkout_id)
    stands = reading.by_id(desk, known.checkout_id)
    if stands.state == EXPIRED:
        try:
            provider.end_page(page.provider_id)
        except (ProviderAway, ProviderRefused) as reason:  # nobody has its address, and it ends by itself
            log.warning("checkout.not_ended", checkout_id=known.checkout_id, error=str(reason))
    return stands


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
            store.note_read(session, checkout_id, _next_read(session, known, now))
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
