"""The invariants of refunds: what is owed to cards is a liability of the books, and each is paid once."""

from services.billing.store.audit import BALANCE, compare
from services.runtime.audit import Invariant

INVARIANTS = (
    Invariant(
        "billing.refunds_account_is_what_is_owed",
        "the balance of refunds_payable is what is owed back to cards and not paid, per currency",
        compare(
            BALANCE.format(account="refunds_payable"),
            "SELECT currency, -SUM(amount_minor) AS minor FROM owed_refund WHERE state = 'open' GROUP BY currency",
            ("currency",),
        ),
    ),
    Invariant(
        "billing.refunds_are_what_payments_returned",
        "what went back of a payment by card is the sum of its refunds, those without an answer and those that are owed included",
        compare(
            "SELECT payment_id, returned_minor AS minor FROM payment WHERE operation_id <> ''",
            "SELECT payment_id, SUM(minor) AS minor FROM ("
            "SELECT subject_id AS payment_id, amount_minor AS minor FROM provider_operation "
            "WHERE kind = 'refund' AND state IN ('asked', 'succeeded') "
            "AND operation_id NOT IN (SELECT operation_id FROM owed_refund) "
            "UNION ALL SELECT payment_id, amount_minor AS minor FROM owed_refund) AS refunds GROUP BY payment_id",
            ("payment_id",),
        ),
    ),
    Invariant(
        "billing.refunds_within_captured",
        "no more is asked back for a card, or went there, than was captured from its authorization",
        "SELECT a.authorization_id FROM card_authorization AS a JOIN provider_operation AS o "
        "ON o.authorization_id = a.authorization_id AND o.kind = 'refund' AND o.state IN ('asked', 'succeeded') "
        "GROUP BY a.authorization_id, a.captured_minor HAVING SUM(o.amount_minor) > a.captured_minor "
        "ORDER BY a.authorization_id",
    ),
    Invariant(
        "billing.owed_refunds_are_paid_once",
        "of the tries of a refund that is owed only the newest may have no answer or have succeeded, and what it is says whether it is paid",
        "SELECT r.refund_id FROM owed_refund AS r JOIN provider_operation AS o ON o.operation_id = r.operation_id "
        "WHERE o.amount_minor <> r.amount_minor OR o.subject_id <> r.payment_id "
        "OR (r.state = 'paid') <> (o.state = 'succeeded') OR (r.state = 'paid_otherwise' AND o.state <> 'failed') "
        "OR EXISTS (SELECT 1 FROM provider_operation AS e WHERE e.subject_id = r.payment_id AND e.kind = 'refund' "
        "AND e.operation_id LIKE 'refund/' || r.refund_id || '/%' AND e.operation_id <> r.operation_id "
        "AND e.state IN ('asked', 'succeeded')) ORDER BY r.refund_id",
    ),
)
