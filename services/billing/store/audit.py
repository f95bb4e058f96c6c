"""The invariants of billing, and what other services' figures must agree with."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlmodel import Session

from services.billing.domain.cards import OVERDUE
from services.billing.domain.checkouts import LASTS
from services.billing.store import audit_shipments
from services.kernel.money import Money
from services.runtime.audit import Invariant

BALANCE = """
SELECT currency, SUM(minor) AS minor FROM (
  SELECT currency, CASE WHEN debit = '{account}' THEN amount_minor ELSE -amount_minor END AS minor
  FROM journal_entry WHERE debit = '{account}' OR credit = '{account}'
) AS sides GROUP BY currency
"""


def compare(left: str, right: str, keys: tuple[str, ...]) -> str:
    """Keys whose sum of `minor` differs between two queries, a missing one counting as zero."""
    columns = ", ".join(keys)
    return f"""
    SELECT {" || ' ' || ".join(keys)} || ': ' || SUM(a) || ' and ' || SUM(b) FROM (
      SELECT {columns}, minor AS a, 0 AS b FROM ({left}) AS l
      UNION ALL SELECT {columns}, 0 AS a, minor AS b FROM ({right}) AS r
    ) AS both_sides GROUP BY {columns} HAVING SUM(a) <> SUM(b) ORDER BY {columns}
    """  # noqa: S608 - built from constants of this module


def _beside_open(cash: str, are_its: str) -> str:
    """What a query of cash finds, as far as an invoice of the same party has something open."""
    is_open = "i.total_minor - i.paid_minor - i.discount_taken_minor - i.settled_elsewhere_minor - i.credited_minor - i.written_off_minor > 0"
    return f"{cash} AND EXISTS (SELECT 1 FROM invoice AS i WHERE {are_its} AND {is_open}) ORDER BY 1"  # noqa: S608 - constants of this module


_OPEN = "total_minor - paid_minor - discount_taken_minor - settled_elsewhere_minor - credited_minor - written_off_minor"
_OPEN_BY_CURRENCY = f"SELECT currency, SUM({_OPEN}) AS minor FROM invoice GROUP BY currency"  # noqa: S608 - constants of this module
_UNAPPLIED_BY_CURRENCY = "SELECT currency, -SUM(unapplied_minor) AS minor FROM payment GROUP BY currency"
_DEPOSITS_BY_CURRENCY = (
    "SELECT p.currency, -SUM(d.remaining_minor) AS minor FROM order_deposit AS d "
    "JOIN payment AS p ON p.payment_id = d.payment_id GROUP BY p.currency"
)
_OWED_BY_CUSTOMER = f"""
SELECT customer_id, currency, SUM(minor) AS minor FROM (
  SELECT customer_id, currency, {_OPEN} AS minor FROM invoice
  UNION ALL SELECT customer_id, currency, -unapplied_minor AS minor FROM payment
  UNION ALL SELECT p.customer_id, p.currency, -d.remaining_minor AS minor
  FROM order_deposit AS d JOIN payment AS p ON p.payment_id = d.payment_id
) AS parts GROUP BY customer_id, currency
"""  # noqa: S608 - constants of this module
_REMAINING_BY_CUSTOMER = """
SELECT customer_id, currency, SUM(remaining_minor) AS minor FROM commitment WHERE payment_method <> 'card'
GROUP BY customer_id, currency
"""

INVARIANTS = (
    *audit_shipments.INVARIANTS,
    Invariant(
        "billing.entries_are_transfers",
        "every journal entry moves a positive amount between two different accounts",
        "SELECT 'entry ' || entry_id FROM journal_entry WHERE amount_minor <= 0 OR debit = credit ORDER BY entry_id",
    ),
    Invariant(
        "billing.receivable_account_is_open_invoices",
        "the balance of accounts_receivable is the sum of what is open on invoices, per currency",
        compare(BALANCE.format(account="accounts_receivable"), _OPEN_BY_CURRENCY, ("currency",)),
    ),
    Invariant(
        "billing.unapplied_account_is_unapplied_payments",
        "the balance of unapplied_cash is what payments have left, per currency",
        compare(BALANCE.format(account="unapplied_cash"), _UNAPPLIED_BY_CURRENCY, ("currency",)),
    ),
    Invariant(
        "billing.deposits_account_is_held_for_orders",
        "the balance of customer_deposits is what payments hold for orders, per currency",
        compare(BALANCE.format(account="customer_deposits"), _DEPOSITS_BY_CURRENCY, ("currency",)),
    ),
    Invariant(
        "billing.cash_account_is_payments",
        "the balance of cash is what came less what went back and what providers kept, and the payouts, per currency; what is owed back is here yet",
        compare(
            BALANCE.format(account="cash"),
            "SELECT currency, SUM(minor) AS minor FROM (SELECT currency, amount_minor - returned_minor - fee_minor AS minor FROM payment "
            "UNION ALL SELECT currency, amount_minor AS minor FROM payout "
            "UNION ALL SELECT currency, amount_minor AS minor FROM owed_refund WHERE state = 'open') AS came GROUP BY currency",
            ("currency",),
        ),
    ),
    Invariant(
        "billing.clearing_account_is_open_sales",
        "the balance of marketplace_clearing is what is due for sales less what payouts have paid and kept, per currency",
        compare(
            BALANCE.format(account="marketplace_clearing"),
            "SELECT currency, SUM(minor) AS minor FROM (SELECT currency, due_minor AS minor FROM marketplace_sale "
            "UNION ALL SELECT currency, -amount_minor - fees_minor AS minor FROM payout_line) AS owed GROUP BY currency",
            ("currency",),
        ),
    ),
    Invariant(
        "billing.payouts_add_up",
        "a payout is what it pays of its sales less the fees of none",
        compare(
            "SELECT payout_id, amount_minor + fees_minor AS minor FROM payout",
            "SELECT payout_id, SUM(amount_minor) AS minor FROM payout_line GROUP BY payout_id",
            ("payout_id",),
        ),
    ),
    Invariant(
        "billing.tax_parts_are_their_invoice",
        "the tax parts of an invoice sum to it, and nothing is charged on what is not taxed",
        "SELECT number FROM invoice AS i JOIN (SELECT invoice_id, SUM(merchandise_minor) AS merchandise, SUM(discount_minor) AS discount, "
        "SUM(freight_minor) AS freight, SUM(tax_minor) AS tax, SUM(CASE WHEN code <> 'S' THEN tax_minor ELSE 0 END) AS untaxed "
        "FROM invoice_tax_part GROUP BY invoice_id) AS p ON p.invoice_id = i.invoice_id "
        "WHERE p.merchandise <> i.merchandise_minor OR p.discount <> i.discount_minor OR p.freight <> i.freight_minor "
        "OR p.tax <> i.tax_minor OR p.untaxed <> 0 ORDER BY number",
    ),
    Invariant(
        "billing.discounts_account_is_discounts_taken",
        "the balance of sales_discounts is what invoices had taken off for being paid early, per currency",
        compare(
            BALANCE.format(account="sales_discounts"),
            "SELECT currency, SUM(discount_taken_minor) AS minor FROM invoice GROUP BY currency",
            ("currency",),
        ),
    ),
    Invariant(
        "billing.discount_settles_its_invoice",
        "a discount for paying early is taken as it was offered on what is not credited, by payments that came in time and settle its invoice",
        "SELECT number FROM invoice AS i WHERE discount_taken_minor <> 0 AND ("  # noqa: S608 - constants of this module
        "ABS(discount_taken_minor - 1.0 * early_discount_minor * (total_minor - credited_minor) / total_minor) >= 1 "
        f"OR {_OPEN} <> 0 OR EXISTS (SELECT 1 FROM payment_application AS a JOIN payment AS p "
        "ON p.payment_id = a.payment_id WHERE a.invoice_id = i.invoice_id AND p.received_on > i.discount_until)) ORDER BY sequence",
    ),
    Invariant(
        "billing.installments_sum",
        "an invoice's installments come to its total",
        "SELECT i.number FROM invoice AS i JOIN invoice_installment AS p ON p.invoice_id = i.invoice_id "
        "GROUP BY i.invoice_id, i.number, i.total_minor HAVING SUM(p.amount_minor) <> i.total_minor ORDER BY i.number",
    ),
    Invariant(
        "billing.credit_receivable_is_open_invoices",
        "a credit account's receivable is its customer's open invoices less unapplied cash and deposits",
        compare(
            "SELECT customer_id, currency, receivable_minor AS minor FROM credit_account",
            _OWED_BY_CUSTOMER,
            ("customer_id", "currency"),
        ),
    ),
    Invariant(
        "billing.credit_committed_is_commitments",
        "a credit account's committed is what its orders have committed and not been invoiced, but for those by card",
        compare(
            "SELECT customer_id, currency, committed_minor AS minor FROM credit_account",
            _REMAINING_BY_CUSTOMER,
            ("customer_id", "currency"),
        ),
    ),
    Invariant(
        "billing.families_have_their_parents",
        "a credit account is of its parent's family, or its own without a parent",
        "SELECT a.customer_id || ' ' || a.currency FROM credit_account AS a LEFT JOIN credit_account AS p "
        "ON p.customer_id = a.parent_id AND p.currency = a.currency "
        "WHERE a.family_id <> COALESCE(p.family_id, a.customer_id) OR (a.parent_id <> '' AND p.customer_id IS NULL) "
        "ORDER BY a.customer_id",
    ),
    Invariant(
        "billing.commitments_add_up",
        "a commitment is what remains of it, what was invoiced and what was released; a released one has nothing left",
        "SELECT order_id FROM commitment WHERE amount_minor <> remaining_minor + invoiced_minor + released_minor "
        "OR (is_released AND remaining_minor <> 0) ORDER BY order_id",
    ),
    Invariant(
        "billing.invoice_numbers_gapless",
        "invoice numbers count from one without a gap, as far as the counter",
        "SELECT 'before ' || number FROM invoice AS i WHERE sequence > 1 AND share <= 1 AND NOT EXISTS "
        "(SELECT 1 FROM invoice AS e WHERE e.sequence = i.sequence - 1) "
        "UNION ALL SELECT 'counter at ' || last_number FROM counter WHERE name = 'invoice' "
        "AND last_number <> (SELECT COALESCE(MAX(sequence), 0) FROM invoice)",
    ),
    Invariant(
        "billing.invoice_total_adds_up",
        "an invoice's total is merchandise - discount + freight + tax",
        "SELECT number FROM invoice "
        "WHERE total_minor <> merchandise_minor - discount_minor + freight_minor + tax_minor ORDER BY sequence",
    ),
    Invariant(
        "billing.invoice_lines_sum",
        "an invoice's lines sum to its merchandise",
        "SELECT i.number FROM invoice AS i LEFT JOIN invoice_line AS l ON l.invoice_id = i.invoice_id "
        "GROUP BY i.invoice_id, i.number, i.merchandise_minor HAVING COALESCE(SUM(l.extended_minor), 0) <> i.merchandise_minor "
        "ORDER BY i.number",
    ),
    Invariant(
        "billing.invoice_posted_in_full",
        "an invoice's entries debit the receivable by exactly its total, but for what its buyer has paid elsewhere",
        compare(
            "SELECT invoice_id, total_minor - settled_elsewhere_minor AS minor FROM invoice",
            "SELECT source_id AS invoice_id, SUM(amount_minor) AS minor FROM journal_entry "
            "WHERE source_type = 'invoice' AND debit = 'accounts_receivable' GROUP BY source_id",
            ("invoice_id",),
        ),
    ),
    Invariant(
        "billing.invoice_paid_within_total",
        "nothing is paid beyond an invoice's total",
        "SELECT number FROM invoice WHERE paid_minor < 0 OR paid_minor > total_minor ORDER BY sequence",
    ),
    Invariant(
        "billing.invoice_paid_is_applications",
        "what is paid on an invoice is the sum of what payments applied to it",
        compare(
            "SELECT invoice_id, paid_minor AS minor FROM invoice",
            "SELECT invoice_id, SUM(amount_minor) AS minor FROM payment_application GROUP BY invoice_id",
            ("invoice_id",),
        ),
    ),
    Invariant(
        "billing.payment_is_applied_or_left",
        "a payment is what it was applied to, what orders' deposits hold of it, what is left of it and what went back",
        compare(
            "SELECT payment_id, amount_minor - unapplied_minor - returned_minor AS minor FROM payment",
            "SELECT payment_id, SUM(minor) AS minor FROM ("
            "SELECT payment_id, amount_minor AS minor FROM payment_application "
            "UNION ALL SELECT payment_id, remaining_minor AS minor FROM order_deposit) AS used GROUP BY payment_id",
            ("payment_id",),
        ),
    ),
    Invariant(
        "billing.who_waits_is_not_committed",
        "an order that waits for its money has not committed all that it asks for",
        "SELECT w.order_id FROM credit_wait AS w JOIN commitment AS c ON c.order_id = w.order_id "
        "WHERE c.remaining_minor + c.invoiced_minor >= w.amount_minor ORDER BY w.order_id",
    ),
    Invariant(
        "billing.deposit_is_its_payers",
        "cash held for an order is of the customer and in the currency of its payment",
        "SELECT d.order_id FROM order_deposit AS d JOIN payment AS p ON p.payment_id = d.payment_id "
        "WHERE d.customer_id <> p.customer_id OR d.currency <> p.currency ORDER BY d.order_id",
    ),
    Invariant(
        "billing.no_deposit_beside_its_open_invoice",
        "cash held for an order pays its open invoices",
        _beside_open(
            "SELECT d.order_id FROM order_deposit AS d WHERE d.remaining_minor > 0", "i.order_id = d.order_id"
        ),
    ),
    Invariant(
        "billing.no_cash_beside_open_invoices",
        "a customer has cash left over to apply or invoices open in a currency, never both",
        _beside_open(
            "SELECT payment_id FROM payment AS p WHERE unapplied_minor > 0 AND NOT is_on_account",
            "i.customer_id = p.customer_id AND i.currency = p.currency",
        ),
    ),
    Invariant(
        "billing.captures_within_authorization",
        "what captures have of an authorization is what it says is taken, and what succeeded is what it says is captured",
        "SELECT a.authorization_id FROM card_authorization AS a LEFT JOIN provider_operation AS o "
        "ON o.authorization_id = a.authorization_id AND o.kind = 'capture' "
        "GROUP BY a.authorization_id, a.taken_minor, a.captured_minor, a.amount_minor "
        "HAVING a.taken_minor > a.amount_minor "
        "OR a.taken_minor <> COALESCE(SUM(CASE WHEN o.state IN ('asked', 'succeeded') THEN o.amount_minor END), 0) "
        "OR a.captured_minor <> COALESCE(SUM(CASE WHEN o.state = 'succeeded' THEN o.amount_minor END), 0) "
        "ORDER BY a.authorization_id",
    ),
    Invariant(
        "billing.captures_are_payments",
        "a capture that succeeded is one payment of its amount, and no other payment names a capture",
        compare(
            "SELECT operation_id, amount_minor AS minor FROM provider_operation "
            "WHERE kind = 'capture' AND state = 'succeeded'",
            "SELECT operation_id, SUM(amount_minor) AS minor FROM payment WHERE operation_id <> '' GROUP BY operation_id",
            ("operation_id",),
        ),
    ),
    Invariant(
        "billing.refunded_within_captured",
        "no more goes back to a card than was captured from it",
        "SELECT payment_id FROM payment WHERE operation_id <> '' AND returned_minor > amount_minor ORDER BY payment_id",
    ),
)


def unanswered(now: datetime) -> Invariant:
    """Whether the provider owes an answer for too long."""
    since = (now - OVERDUE).astimezone(UTC).isoformat(timespec="microseconds")
    return Invariant(
        "billing.operations_are_answered",
        "the provider has answered within a day whatever it was asked",
        f"SELECT operation_id FROM provider_operation WHERE state = 'asked' AND asked_at < '{since}' "  # noqa: S608  # an instant
        "ORDER BY operation_id",
    )


def unread(now: datetime) -> Invariant:
    """Whether it is not known for too long what was paid on a page of the provider's."""
    since = (now - LASTS - OVERDUE).astimezone(UTC).isoformat(timespec="microseconds")
    return Invariant(
        "billing.checkouts_are_read",
        "what was paid on a page of the provider's is known within a day of its end",
        f"SELECT checkout_id FROM checkout WHERE state = 'open' AND kind = 'payment' AND asked_at < '{since}' "  # noqa: S608  # an instant
        "ORDER BY checkout_id",
    )


def unheard(now: datetime) -> Invariant:
    """Whether what the provider told of was not acted on for too long."""
    since = (now - OVERDUE).astimezone(UTC).isoformat(timespec="microseconds")
    return Invariant(
        "billing.provider_events_are_read",
        "what an event of the provider tells of is read there within a day",
        f"SELECT event_id FROM provider_event WHERE NOT is_done AND received_at < '{since}' "  # noqa: S608  # an instant
        "ORDER BY event_id",
    )


def inventory_balance(session: Session) -> list[Money]:
    """The inventory account's balance, one a currency: inventory's stock value must equal it."""
    return _balance(session, "inventory")


def quarantine_balance(session: Session) -> list[Money]:
    """The quarantine account's balance, one a currency: what goods in quarantine had cost must equal it."""
    return _balance(session, "inventory_in_quarantine")


def _balance(session: Session, account: str) -> list[Money]:
    rows = session.execute(text(f"{BALANCE.format(account=account)} ORDER BY currency"))
    return [Money(int(minor), currency) for currency, minor in rows]


def committed_order_ids(session: Session) -> list[str]:
    """Orders that still have credit committed: each must be live."""
    rows = session.execute(text("SELECT order_id FROM commitment WHERE remaining_minor > 0 ORDER BY order_id"))
    return [str(order_id) for order_id in rows.scalars()]


def billed_orders(session: Session) -> list[tuple[str, Money]]:
    """What each invoiced order was billed in all, without fees and but for what had not left; those of which nothing had are left out."""
    rows = session.execute(
        text(
            "SELECT order_id, currency, SUM(total_minor - reversed_merchandise_minor + reversed_discount_minor "
            "- reversed_freight_minor - reversed_tax_minor) AS billed FROM invoice WHERE fee_id = '' GROUP BY order_id, currency "
            "HAVING SUM(reversed_merchandise_minor + reversed_freight_minor) = 0 OR SUM(total_minor - reversed_merchandise_minor "
            "+ reversed_discount_minor - reversed_freight_minor - reversed_tax_minor) <> 0 ORDER BY order_id"
        )
    )
    return [(str(order_id), Money(int(minor), currency)) for order_id, currency, minor in rows]
