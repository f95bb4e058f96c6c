"""The tables as statements name them.

Statements of the everyday paths are built once, where they are used: putting one together costs several times what running it
does. What they compare with a constant says it as SQL: an index of part of a table is found by its own words alone.
"""

from sqlalchemy import ColumnElement, literal_column

from services.inventory.models import Table

_tables = Table.metadata.tables

warehouse = _tables["warehouse"]
stock = _tables["stock"]
movement = _tables["movement"]
cost_layer = _tables["cost_layer"]
reservation = _tables["reservation"]
candidate = _tables["reservation_candidate"]
allocation = _tables["allocation"]
backorder = _tables["backorder"]
expected_receipt = _tables["expected_receipt"]
supply_change = _tables["supply_change"]
stock_issue = _tables["stock_issue"]
issue_reversal = _tables["issue_reversal"]
returned_stock = _tables["returned_stock"]
quarantine_decision = _tables["quarantine_decision"]
unfilled = _tables["unfilled"]
unnotified = _tables["unnotified"]
sourcing_policy = _tables["sourcing_policy"]
sourcing_plan = _tables["sourcing_plan"]
allocation_policy = _tables["allocation_policy"]
warehouse_outage = _tables["warehouse_outage"]
sourcing_request = _tables["sourcing_request"]
stock_bin = _tables["stock_bin"]
stock_count = _tables["stock_count"]
count_loss = _tables["count_loss"]

NOTHING: ColumnElement[int] = literal_column("0")
ACTIVE: ColumnElement[str] = literal_column("'active'")
NO_TEXT: ColumnElement[str] = literal_column("''")
