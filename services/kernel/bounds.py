"""How much one document holds, the same wherever it is placed, changed, reserved, picked, shipped, invoiced or shown; and what two services must agree on."""

MAX_LINES = 2_000
"""Lines of an order, of a change to it, of a shipment and of an invoice."""

MAX_PAGE_LINES = 10 * MAX_LINES
"""Lines of all documents on one page of a list: a page of long documents has fewer of them, and at least one."""

MAX_SOURCES = 500
"""Warehouses that one order is planned over: where more could serve it, those that are cheapest for all of it."""

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a call between two services, or of its answer: several times a document of MAX_LINES lines with the longest texts."""

MAX_DOCUMENT = 10 * 1024 * 1024
"""Bytes of a document that is a file: what mail servers take as an attachment, and less than MAX_MESSAGE."""

CLIENT_IDLE_S = 300
"""Seconds that a client keeps a connection on which nothing is called. Servers keep it longer: one that closed first would lose the call that comes in that moment."""
