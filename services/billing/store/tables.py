"""The tables as statements name them.

Statements of the everyday paths are built once, where they are used: putting one together costs several times what running it
does.
"""

from services.billing.models import Table

_tables = Table.metadata.tables

credit_account = _tables["credit_account"]
commitment = _tables["commitment"]
invoice = _tables["invoice"]
invoice_line = _tables["invoice_line"]
payment = _tables["payment"]
payment_application = _tables["payment_application"]
credit_wait = _tables["credit_wait"]
order_deposit = _tables["order_deposit"]
marketplace_sale = _tables["marketplace_sale"]
payout = _tables["payout"]
payout_line = _tables["payout_line"]
invoice_installment = _tables["invoice_installment"]
invoice_tax_part = _tables["invoice_tax_part"]
delivery = _tables["delivery"]
billable_shipment = _tables["billable_shipment"]
billable_line = _tables["billable_line"]
billable_part = _tables["billable_part"]
invoice_draft = _tables["invoice_draft"]
order_to_invoice = _tables["order_to_invoice"]
revenue_recognition = _tables["revenue_recognition"]
revenue_recognition_line = _tables["revenue_recognition_line"]
invoicing_block = _tables["invoicing_block"]
provider_operation = _tables["provider_operation"]
card_authorization = _tables["card_authorization"]
provider_event = _tables["provider_event"]
checkout = _tables["checkout"]
correction = _tables["correction"]
credit_note = _tables["credit_note"]
credit_note_line = _tables["credit_note_line"]
credit_note_tax_part = _tables["credit_note_tax_part"]
credit_note_cash = _tables["credit_note_cash"]
owed_refund = _tables["owed_refund"]
write_off = _tables["write_off"]
deposit_invoice = _tables["deposit_invoice"]
deposit_invoice_part = _tables["deposit_invoice_part"]
deposit_deduction = _tables["deposit_deduction"]
shipment_reversal = _tables["shipment_reversal"]
return_refund = _tables["return_refund"]
exchanged_line = _tables["exchanged_line"]
exchange_settlement = _tables["exchange_settlement"]
exchange_charge = _tables["exchange_charge"]
return_cash_held = _tables["return_cash_held"]
