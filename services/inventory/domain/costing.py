"""What goods cost: layers by receipt, issued first in, first out, exact to the minor unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.kernel.errors import Refused
from services.kernel.money import Money, UnitPrice, extend, share


@dataclass(frozen=True, slots=True)
class Layer:
    """A receipt: what it had, what that cost, how many units of it are left, and what those are worth."""

    layer_id: str
    quantity: int
    value: Money
    remaining: int
    remaining_value: Money


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
    value = extend(unit_cost, quantity)
    return Layer(layer_id, quantity, value, quantity, value)


def counted_cost(
    sku: str, currency: str, *, given: UnitPrice | None, last: UnitPrice | None, standard: UnitPrice | None
) -> UnitPrice:
    """What a unit that was counted in costs: as given, else as the last receipt, else the standard cost in this currency.

    Unknown is not free: Refused COST_UNKNOWN. A given cost is taken whatever its currency is.
    """
    if given is not None:
        return given
    for known in (last, standard):
        if known is not None and known.currency == currency:
            return known
    raise Refused(
        "COST_UNKNOWN",
        f"what a unit of {sku} costs in {currency} is not known: it was never received, and the catalog has no standard cost "
        "of it. Give a unit_cost, or a standard cost to the product first",
    )


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
            draws.append(_drawn(layer, taken))
            missing -= taken
    if missing:
        raise ValueError(f"{missing} of {quantity} units are in no cost layer")
    return tuple(draws)


def _drawn(layer: Layer, units: int) -> Draw:
    value = share(
        layer.value,
        units,
        layer.quantity,
        before=layer.quantity - layer.remaining,
        given=layer.value - layer.remaining_value,
    )
    return Draw(layer.layer_id, units, value, layer.remaining - units, layer.remaining_value - value)


def cost_of(draws: Sequence[Draw], currency: str) -> Money:
    """What the units taken had cost."""
    return Money.total((taken.value for taken in draws), currency)
