"""A place that holds stock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("own", "store", "third_party")


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A place that holds stock; a closed one keeps its promises and makes no new ones. `version` counts what was stored of it."""

    warehouse_id: str
    name: str
    kind: str
    address: Mapping[str, str]
    is_active: bool
    version: int = field(default=0, compare=False)
