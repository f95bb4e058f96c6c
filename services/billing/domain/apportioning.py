"""Amounts over the parts of a document, to the cent."""

from collections.abc import Sequence

from services.kernel.money import Money, share


def shared(total: Money, left: Sequence[Money]) -> list[Money]:
    """An amount over parts, by what is left of each."""
    whole, before, given = sum(one.minor for one in left), 0, Money.zero(total.currency)
    shares = []
    for one in left:
        own = share(total, one.minor, whole, before=before, given=given) if total.minor else Money.zero(total.currency)
        shares.append(own)
        before, given = before + one.minor, given + own
    return shares


def within(total: Money, weights: Sequence[Money], most: Sequence[Money]) -> list[Money]:
    """An amount over parts by their weights, none above its most; what is above goes to the others in turn."""
    zero = Money.zero(total.currency)
    wanted = shared(total, weights) if any(one.minor for one in weights) else [zero] * len(weights)
    shares = [min(own, bound) for own, bound in zip(wanted, most, strict=True)]
    rest = total - Money.total(shares, total.currency)
    for place, bound in enumerate(most):
        more = min(rest, bound - shares[place])
        shares[place], rest = shares[place] + more, rest - more
    return shares
