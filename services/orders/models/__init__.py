"""Tables of orders: shape and constraints only."""

from __future__ import annotations

from services.orders.models.cards import GivenCardRow, OrderCardRow
from services.orders.models.changes import ChangeRow, VersionRow
from services.orders.models.console import ConsoleSessionRow, DeadLetterActionRow, PasswordLinkRow, PersonSecretRow
from services.orders.models.decisions import CancellationRow, FeedbackRow, HoldRow, ValidationRow, ViolationRow
from services.orders.models.exceptions import BusinessExceptionRow
from services.orders.models.log import EventRow, FactRow, LateFactRow
from services.orders.models.masterdata import (
    CustomerRow,
    ExchangeRateRow,
    PolicyRow,
    PriceAgreementRow,
    ProductRow,
    TaxRateRow,
)
from services.orders.models.orders import CounterRow, LineRow, OrderRow, ProgressRow
from services.orders.models.parcels import ParcelLineRow, ParcelRow
from services.orders.models.people import AccessChangeRow, DelegationRow, PersonRow
from services.orders.models.promises import PromiseRow
from services.orders.models.replacements import ReplacementLineRow, ReplacementOrderRow
from services.orders.models.resumptions import ResumptionRow
from services.orders.models.return_photos import ReturnPhotoRow
from services.orders.models.returns import ReturnInspectionRow, ReturnLineRow, ReturnRow
from services.orders.models.reviews import DecisionRow, ReviewRow, StepRow
from services.orders.models.table import Table, answers, outbox

__all__ = [
    "AccessChangeRow",
    "BusinessExceptionRow",
    "CancellationRow",
    "ChangeRow",
    "ConsoleSessionRow",
    "CounterRow",
    "CustomerRow",
    "DeadLetterActionRow",
    "DecisionRow",
    "DelegationRow",
    "EventRow",
    "ExchangeRateRow",
    "FactRow",
    "FeedbackRow",
    "GivenCardRow",
    "HoldRow",
    "LateFactRow",
    "LineRow",
    "OrderCardRow",
    "OrderRow",
    "ParcelLineRow",
    "ParcelRow",
    "PasswordLinkRow",
    "PersonRow",
    "PersonSecretRow",
    "PolicyRow",
    "PriceAgreementRow",
    "ProductRow",
    "ProgressRow",
    "PromiseRow",
    "ReplacementLineRow",
    "ReplacementOrderRow",
    "ResumptionRow",
    "ReturnInspectionRow",
    "ReturnLineRow",
    "ReturnPhotoRow",
    "ReturnRow",
    "ReviewRow",
    "StepRow",
    "Table",
    "TaxRateRow",
    "ValidationRow",
    "VersionRow",
    "ViolationRow",
    "answers",
    "outbox",
]
