"""The invariants of fulfillment, each as one query that finds who breaks it."""

from __future__ import annotations

from services.fulfillment.store import waves
from services.runtime.audit import Invariant

INVARIANTS = (
    *waves.INVARIANTS,
    Invariant(
        "fulfillment.shipment_state_is_known",
        "A shipment is released, picked, packed, shipped, delivered or cancelled.",
        "SELECT 'SH-' || serial || ' is ' || state AS offender FROM shipment "
        "WHERE state NOT IN ('released', 'picked', 'packed', 'shipped', 'delivered', 'cancelled')",
    ),
    Invariant(
        "fulfillment.steps_taken_in_order",
        "Goods are picked, packed, shipped and delivered in this order, each no earlier than the one before, and none is skipped.",
        "SELECT 'SH-' || serial || ' is ' || state || ' out of turn' AS offender FROM shipment WHERE warehouse_id <> '' AND ("
        "(state IN ('picked', 'packed', 'shipped', 'delivered') AND picked_at IS NULL) "
        "OR (state IN ('packed', 'shipped', 'delivered') AND packed_at IS NULL) "
        "OR picked_at < released_at OR packed_at < picked_at OR shipped_at < packed_at OR delivered_at < shipped_at)",
    ),
    Invariant(
        "fulfillment.instants_match_state",
        "A shipment has shipped_at if and only if it left, delivered_at if delivered, cancelled_at if cancelled.",
        "SELECT 'SH-' || serial || ' is ' || state || ' with other instants' AS offender FROM shipment "
        "WHERE (state IN ('shipped', 'delivered')) <> (shipped_at IS NOT NULL) "
        "OR (state = 'delivered') <> (delivered_at IS NOT NULL) OR (state = 'cancelled') <> (cancelled_at IS NOT NULL)",
    ),
    Invariant(
        "fulfillment.intercepted_is_not_delivered",
        "A parcel that its carrier has stopped on the way has left and is not delivered.",
        "SELECT 'SH-' || serial || ' is ' || shipment.state || ' and intercepted' AS offender FROM shipment "
        "JOIN shipment_interception ON shipment_interception.shipment_id = shipment.shipment_id "
        "WHERE shipment_interception.state = 'intercepted' AND shipment.state <> 'shipped'",
    ),
    Invariant(
        "fulfillment.delivered_after_shipped",
        "Nothing is delivered before it was shipped.",
        "SELECT 'SH-' || serial AS offender FROM shipment WHERE delivered_at < shipped_at",
    ),
    Invariant(
        "fulfillment.shipment_has_lines",
        "A shipment holds at least one line.",
        "SELECT 'SH-' || serial || ' is empty' AS offender FROM shipment WHERE NOT EXISTS "
        "(SELECT 1 FROM shipment_line WHERE shipment_line.shipment_id = shipment.shipment_id)",
    ),
    Invariant(
        "fulfillment.quantities_positive",
        "Each line of a shipment holds at least one unit.",
        "SELECT shipment_id || ' line ' || line_id || ': ' || quantity AS offender FROM shipment_line WHERE quantity <= 0",
    ),
    Invariant(
        "fulfillment.picked_within_quantity",
        "No line has more units off the shelf than it holds, and none less than zero.",
        "SELECT shipment_id || ' line ' || line_id || ': ' || picked_quantity || ' of ' || quantity AS offender "
        "FROM shipment_line WHERE picked_quantity > quantity OR picked_quantity < 0",
    ),
    Invariant(
        "fulfillment.picked_in_full",
        "Goods that were picked were picked in full before they move on.",
        "SELECT 'SH-' || serial || ' line ' || line_id || ': ' || picked_quantity || ' of ' || quantity AS offender "
        "FROM shipment JOIN shipment_line ON shipment_line.shipment_id = shipment.shipment_id "
        "WHERE warehouse_id <> '' AND picked_at IS NOT NULL AND picked_quantity <> quantity",
    ),
    Invariant(
        "fulfillment.shipped_goods_are_tracked",
        "Goods that have left have a carrier, a tracking number and a freight cost; a service has none of them.",
        "SELECT 'SH-' || serial || ' is ' || state AS offender FROM shipment WHERE (warehouse_id <> '' AND "
        "shipped_at IS NOT NULL AND (tracking_number IS NULL OR carrier = '' OR freight_minor IS NULL)) "
        "OR (warehouse_id = '' AND (tracking_number IS NOT NULL OR carrier <> '' OR freight_minor IS NOT NULL))",
    ),
    Invariant(
        "fulfillment.tracking_numbers_unique",
        "A tracking number names one parcel.",
        "SELECT tracking_number || ' on ' || count(*) || ' packages' AS offender FROM package "
        "WHERE tracking_number IS NOT NULL GROUP BY tracking_number HAVING count(*) > 1",
    ),
    Invariant(
        "fulfillment.package_codes_unique",
        "A serial shipping container code names one package.",
        "SELECT sscc || ' on ' || count(*) || ' packages' AS offender FROM package "
        "WHERE sscc IS NOT NULL GROUP BY sscc HAVING count(*) > 1",
    ),
    Invariant(
        "fulfillment.units_are_packed_once",
        "Each unit of goods that were packed is in one package, and nothing else is in any.",
        "SELECT 'SH-' || serial || ' line ' || line_id || ': ' || SUM(packed) || ' of ' || SUM(units) || ' packed' AS offender "
        "FROM (SELECT shipment_id, line_id, sku, quantity AS units, 0 AS packed FROM shipment_line WHERE EXISTS (SELECT 1 FROM "
        "shipment AS s WHERE s.shipment_id = shipment_line.shipment_id AND s.warehouse_id <> '' AND s.packed_at IS NOT NULL) "
        "UNION ALL SELECT shipment_id, line_id, sku, 0, quantity FROM package_line) AS parts "
        "JOIN shipment ON shipment.shipment_id = parts.shipment_id "
        "GROUP BY serial, line_id, sku HAVING SUM(packed) <> SUM(units)",
    ),
    Invariant(
        "fulfillment.packages_are_tracked",
        "Each package that has left has a tracking number, and the first has that of its shipment.",
        "SELECT 'SH-' || serial || ' package ' || number AS offender FROM shipment "
        "JOIN package ON package.shipment_id = shipment.shipment_id WHERE shipped_at IS NOT NULL AND "
        "(package.tracking_number IS NULL OR (number = 1 AND package.tracking_number <> shipment.tracking_number))",
    ),
    Invariant(
        "fulfillment.delivered_with_its_packages",
        "A shipment of goods is delivered once all its packages are, and only then.",
        "SELECT 'SH-' || serial || ' is ' || state AS offender FROM shipment WHERE warehouse_id <> '' "
        "AND state IN ('shipped', 'delivered') AND (state = 'delivered') <> NOT EXISTS (SELECT 1 FROM package "
        "WHERE package.shipment_id = shipment.shipment_id AND package.delivered_at IS NULL)",
    ),
    Invariant(
        "fulfillment.numbers_unique_and_gapless",
        "Shipment numbers count up from SH-1001 without gap or repeat.",
        "SELECT 'highest SH-' || max(serial) || ', ' || count(DISTINCT serial) || ' numbers on ' || count(*) || ' shipments' "
        "AS offender FROM shipment HAVING count(*) > 0 AND (max(serial) - 1000 <> count(*) OR count(DISTINCT serial) <> count(*))",
    ),
    Invariant(
        "fulfillment.delivered_by_the_carriers_word",
        "A package is delivered only when its carrier said so.",
        "SELECT 'SH-' || serial || ' package ' || number AS offender FROM shipment "
        "JOIN package ON package.shipment_id = shipment.shipment_id WHERE package.delivered_at IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM carrier_event WHERE carrier_event.tracking_number = package.tracking_number "
        "AND carrier_event.carrier = shipment.carrier AND carrier_event.status = 'delivered')",
    ),
    Invariant(
        "fulfillment.the_carriers_word_is_heard",
        "A package its carrier delivered is delivered here, unless it is said never to have left, or its carrier had stopped it.",
        "SELECT 'SH-' || serial || ' package ' || number AS offender FROM shipment "
        "JOIN package ON package.shipment_id = shipment.shipment_id WHERE package.delivered_at IS NULL AND NOT EXISTS "
        "(SELECT 1 FROM shipment_reversal WHERE shipment_reversal.shipment_id = shipment.shipment_id) AND NOT EXISTS "
        "(SELECT 1 FROM shipment_interception WHERE shipment_interception.shipment_id = shipment.shipment_id "
        "AND shipment_interception.state = 'intercepted') AND EXISTS "
        "(SELECT 1 FROM carrier_event WHERE carrier_event.tracking_number = package.tracking_number "
        "AND carrier_event.carrier = shipment.carrier AND carrier_event.status = 'delivered')",
    ),
    Invariant(
        "fulfillment.cancelled_order_has_nothing_open",
        "An order that was cancelled has no shipment that could still leave.",
        "SELECT 'SH-' || serial || ' is ' || state AS offender FROM shipment "
        "JOIN warehouse_order ON warehouse_order.order_id = shipment.order_id "
        "WHERE warehouse_order.cancelled_at IS NOT NULL AND state IN ('released', 'picked', 'packed')",
    ),
    Invariant(
        "fulfillment.reversed_shipments_are_replaced",
        "A shipment whose ship confirm was reversed is cancelled, and another one has what was in it and says so.",
        "SELECT 'SH-' || serial || ' is ' || state AS offender FROM shipment JOIN shipment_reversal AS r "
        "ON r.shipment_id = shipment.shipment_id WHERE state <> 'cancelled' OR NOT EXISTS (SELECT 1 FROM shipment AS other "
        "WHERE 'SH-' || other.serial = r.replaced_by AND other.replaces = 'SH-' || shipment.serial "
        "AND other.order_id = shipment.order_id)",
    ),
    Invariant(
        "fulfillment.recalled_shipments_wait",
        "A shipment of which units are asked back has not left, and its recall waits for the warehouse's answer.",
        "SELECT 'SH-' || serial || ' is ' || state AS offender FROM shipment WHERE recall_id IS NOT NULL AND ("
        "state NOT IN ('released', 'picked', 'packed') OR NOT EXISTS (SELECT 1 FROM recall WHERE recall.recall_id = shipment.recall_id AND recall.state = 'pending'))",
    ),
    Invariant(
        "fulfillment.recalled_units_are_there",
        "What a pending recall asks back is in a shipment that says so.",
        "SELECT recall.order_number || ' line ' || recall_line.line_id || ': ' || recall_line.quantity AS offender FROM recall "
        "JOIN recall_line ON recall_line.recall_id = recall.recall_id WHERE recall.state = 'pending' AND NOT EXISTS "
        "(SELECT 1 FROM shipment JOIN shipment_line ON shipment_line.shipment_id = shipment.shipment_id "
        "WHERE shipment.shipment_id = recall_line.shipment_id AND shipment.recall_id = recall.recall_id "
        "AND shipment_line.line_id = recall_line.line_id AND shipment_line.sku = recall_line.sku "
        "AND shipment_line.quantity >= recall_line.quantity)",
    ),
    Invariant(
        "fulfillment.returns_are_counted",
        "What has come of a return is what was counted of it, and no more than was announced.",
        "SELECT e.number || ' line ' || l.line_id || ': ' || l.received || ' of ' || l.quantity AS offender "
        "FROM expected_return_line l JOIN expected_return e ON e.return_id = l.return_id "
        "LEFT JOIN (SELECT return_id, line_id, SUM(quantity) AS units FROM return_receipt GROUP BY return_id, line_id) c "
        "ON c.return_id = l.return_id AND c.line_id = l.line_id "
        "WHERE l.received > l.quantity OR l.received <> COALESCE(c.units, 0)",
    ),
    Invariant(
        "fulfillment.returns_are_inspected_once",
        "What was inspected of a return is what its inspections say, and no more than has come.",
        "SELECT e.number || ' line ' || l.line_id || ': ' || l.inspected || ' of ' || l.received AS offender "
        "FROM expected_return_line l JOIN expected_return e ON e.return_id = l.return_id "
        "LEFT JOIN (SELECT return_id, line_id, SUM(quantity) AS units FROM inspected_units GROUP BY return_id, line_id) c "
        "ON c.return_id = l.return_id AND c.line_id = l.line_id "
        "WHERE l.inspected > l.received OR l.inspected <> COALESCE(c.units, 0)",
    ),
)
