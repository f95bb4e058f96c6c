"""Runs one traced order through the whole system in a process of its own: `python -m tests.telemetry.traced FOLDER`.

Logs go to standard output as a process writes them; the finished spans go to FOLDER/spans.json. A process of its own, because
tracing is switched on for good and before anything else is made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.runtime import telemetry


def main(folder: Path) -> None:
    """Place, ship and deliver one order, and write down every span."""
    telemetry.configure_logs("everything", "INFO")
    exporter = InMemorySpanExporter()
    provider = telemetry.record_spans("everything", exporter)
    from tests.system.harness import System  # after the tracer is there: nothing may be made before
    from tests.system.trade import Trade

    with System(folder, "sqlite") as system:
        trade = Trade(system)
        customer, pump = trade.customer(), trade.product("pump", "129.00", cost="80.00")
        trade.receive(trade.warehouses({"w1": 900})["w1"], pump, 10, "80.00")
        order_id = trade.placed(trade.order_body(customer, [{"sku": pump, "quantity": 4}]))["order_id"]
        trade.send_off(trade.shipments(order_id)[0])
        trade.until(order_id, lambda order: order["axes"]["billing"] == "full", "billing")
        trade.when_idle(order_id)
        trade.until_audit_is_clean()
    provider.force_flush()
    spans = [_row(span) for span in exporter.get_finished_spans()]
    (folder / "spans.json").write_text(json.dumps({"order_id": order_id, "spans": spans}))


def _row(span: ReadableSpan) -> dict[str, Any]:
    context = span.get_span_context()
    assert context is not None
    return {
        "trace": format(context.trace_id, "032x"),
        "span": format(context.span_id, "016x"),
        "parent": format(span.parent.span_id, "016x") if span.parent else "",
        "name": span.name,
        "kind": span.kind.name,
        "attributes": {name: str(value) for name, value in (span.attributes or {}).items()},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
