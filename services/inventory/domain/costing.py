"""What goods cost: layers by receipt, issued first in, first out, exact to the minor unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.kernel.money import Money, UnitPrice, extend, share_through


@dataclass(frozen=True, slots=True)
class Layer:
    """A receipt: what it had, what that cost, and how many units of it are left."""

    layer_id: str
    quantity: int
    value: Money
    remaining: int

    @property
    def remaining_value(self) -> Money:
        """What the units left are worth: the value less all that was issued."""
        return self.value - share_through(self.value, self.quantity - self.remaining, self.quantity)


@dataclass(frozen=True, slots=True)
class Draw:
    """Units taken out of a layer, their cost, and what the layer then keeps."""

    layer_id: str
    quantity: int
    value: Money
    remaining: int
    remaining_value: Money


def opened(layer_id: str, quantity: int, unit_cost: UnitPrice) -> Layer:
    """The layer of a receipt: quantity × unit cost, rounded half up, once."""
    return Layer(layer_id, quantity, extend(unit_cost, quantity), quantity)


def draw(layers: Iterable[Layer], quantity: int) -> tuple[Draw, ...]:
    """Take units from the layers in the order given, oldest first.

    The issues of a layer sum exactly to its value, however it is taken apart. Raises ValueError when the layers have less: on
    hand and layers always agree, so that is a bug.
    """
    draws: list[Draw] = []
    missing = quantity
    for layer in layers:
        if not missing:
            break
        taken = min(missing, layer.remaining)
        if taken:
            after = Layer(layer.layer_id, layer.quantity, layer.value, layer.remaining - taken)
            value = layer.remaining_value - after.remaining_value
            draws.append(Draw(layer.layer_id, taken, value, after.remaining, after.remaining_value))
            missing -= taken
    if missing:
        raise ValueError(f"{missing} of {quantity} units are in no cost layer")
    return tuple(draws)


def cost_of(draws: Sequence[Draw], currency: str) -> Money:
    """What the units taken had cost."""
    return Money.total((taken.value for taken in draws), currency)
