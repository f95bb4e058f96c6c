"""The part of BillingService that reads the ledger."""

import grpc

from oms.billing.v1 import billing_pb2 as pb
from services.billing import answers, wire
from services.billing.servicer_part import ServicerPart
from services.billing.store import ledger as ledger_store
from services.kernel.text import optional_text
from services.runtime.wire import number_cursor, page_size


class LedgerServicer(ServicerPart):
    """Balances and entries."""

    def GetTrialBalance(
        self, request: pb.GetTrialBalanceRequest, context: grpc.ServicerContext
    ) -> pb.GetTrialBalanceResponse:
        """Balance of every account that was used."""
        currency = wire.currency_of(request.currency) if request.currency else ""
        with self.database.reading() as session:
            balances = ledger_store.balances(session, currency)
        return pb.GetTrialBalanceResponse(balances=[answers.balance(each) for each in balances])

    def ListEntries(self, request: pb.ListEntriesRequest, context: grpc.ServicerContext) -> pb.ListEntriesResponse:
        """Journal entries, oldest first."""
        limit, after = page_size(request.limit), number_cursor(request.cursor)
        account, order_id = wire.account_filter(request.account), optional_text(request.order_id, "order_id")
        invoice_id = optional_text(request.invoice_id, "invoice_id")
        with self.database.reading() as session:
            page = ledger_store.page(
                session, order_id=order_id, account=account, invoice_id=invoice_id, after=after, limit=limit + 1
            )
        cursor = str(page[limit - 1].entry_id) if len(page) > limit else ""
        return pb.ListEntriesResponse(entries=[answers.entry(each) for each in page[:limit]], next_cursor=cursor)
