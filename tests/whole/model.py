"""What an order must come to, in plain arithmetic: units of each line, goods on the shelf, and money."""

from __future__ import annotations

from dataclasses import dataclass, field

FEE_PERCENT = 10


@dataclass
class Line:
    """A line; `net` and `gross` are what a unit costs without and with tax, in cents, both exact."""

    sku: str
    net: int
    gross: int
    ordered: int
    cancelled: int = 0
    shipped: int = 0
    delivered: int = 0
    returned: int = 0
    restocked: int = 0
    replaced: int = 0
    """Units in place of those that came back: an order of their own brings them, and `resent` of them have left."""
    resent: int = 0

    @property
    def open(self) -> int:
        """Units that are still to ship."""
        return self.ordered - self.cancelled - self.shipped

    @property
    def out(self) -> int:
        """Units that are with the customer, or on their way there."""
        return self.shipped - self.returned


@dataclass
class Model:
    """One order and all that is its alone: its customer's money and its goods. Amounts are in cents."""

    lines: dict[str, Line]
    by_card: bool
    received: dict[str, int] = field(default_factory=dict)
    paid: int = 0
    refunded: int = 0
    credited: int = 0
    held: int = 0
    """Captured for goods that never left: the next ones of the order take it first."""

    def capture(self, amount: int) -> None:
        """A card is captured for what has left, as far as nothing is held for the order."""
        if self.by_card:
            used = min(self.held, amount)
            self.held -= used
            self.paid += amount - used

    def give_up(self) -> None:
        """What is held for goods that are not wanted any more goes back to the card."""
        wanted = sum(line.open * line.gross for line in self.lines.values())
        freed = max(0, self.held - wanted)
        self.held -= freed
        self.refunded += freed

    def on_hand(self, sku: str) -> int:
        """Units of a SKU over all warehouses."""
        lines = [line for line in self.lines.values() if line.sku == sku]
        return self.received.get(sku, 0) - sum(line.shipped - line.restocked + line.resent for line in lines)

    def allocated(self, sku: str) -> int:
        """Units of a SKU that are held when the order is accepted: all there are, up to what is still to ship and to replace."""
        wanted = sum(line.open + line.replaced - line.resent for line in self.lines.values() if line.sku == sku)
        return min(wanted, self.on_hand(sku))

    @property
    def billed(self) -> int:
        """What left is billed, less what was credited."""
        return sum(line.shipped * line.gross for line in self.lines.values()) - self.credited

    @property
    def receivable(self) -> int:
        """What the customer owes; negative is the customer's."""
        return self.billed - self.paid + self.refunded

    @property
    def committed(self) -> int:
        """What of the customer's credit waits to be billed, once the order is accepted."""
        return 0 if self.by_card else sum(line.open * line.gross for line in self.lines.values())

    def take_back(self, line: Line, units: int, *, restocked: int, with_fee: int, is_replaced: bool) -> None:
        """Inspected units, of which some go on the shelf: they are replaced, or credited, and for some the customer pays a fee."""
        line.restocked += restocked
        if is_replaced:
            line.replaced += units
        else:
            self.credited += units * line.gross - with_fee * line.net * FEE_PERCENT // 100
