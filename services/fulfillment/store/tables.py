"""The tables as statements name them.

Statements are built once, where they are used: putting one together costs several times what running it does.
"""

from services.fulfillment.models import Table

_tables = Table.metadata.tables

rate = _tables["rate"]
zone_rule = _tables["zone_rule"]
shipment = _tables["shipment"]
shipment_line = _tables["shipment_line"]
package = _tables["package"]
package_line = _tables["package_line"]
shipment_reversal = _tables["shipment_reversal"]
shipment_interception = _tables["shipment_interception"]
carrier_event = _tables["carrier_event"]
expected_return = _tables["expected_return"]
expected_return_line = _tables["expected_return_line"]
return_receipt = _tables["return_receipt"]
inspected_units = _tables["inspected_units"]
wave = _tables["wave"]
warehouse_schedule = _tables["warehouse_schedule"]
wave_shipment = _tables["wave_shipment"]

DUE_FIRST = (shipment.c.promised_on.is_(None), shipment.c.promised_on, shipment.c.serial)
"""The soonest promised first, those without a day last."""
