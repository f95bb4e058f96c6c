"""Access: the one role matrix, for HTTP operations, pages and gRPC methods alike, and how far a caller may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from services.kernel.errors import NotPermitted
from services.orders.domain.access import EVERYTHING, Scope
from services.runtime.auth import Principal
from services.runtime.roles import ROLE_NAMES, SEES_MARGIN, SEES_PRICES, highest

MATRIX_FILE = Path(__file__).with_name("roles.yaml")

Reach = Literal["own", "assigned", "all"]
_WIDTH: dict[Reach, int] = {"own": 1, "assigned": 2, "all": 3}
_OPEN = frozenset({"public", "signature"})
_METHODS = "/oms."


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal within one operation: `reach` bounds every object it may see or touch there."""

    principal: Principal
    reach: Reach

    @property
    def scope(self) -> Scope:
        """The scope that every query passes through; own is the company of a customer, else what the caller placed."""
        if self.reach == "all":
            return EVERYTHING
        if self.reach == "assigned":
            return Scope(sales_rep=self.principal.sub)
        if self.principal.has("customer"):
            return Scope(company=self.principal.company or "")
        return Scope(placed_by=self.principal.sub)

    @property
    def company(self) -> str | None:
        """The only customer account it may see, where lists are filtered by account; None for a caller that sees all.

        A caller bounded in another way (assigned customers, own placings) may not use such a list: NotPermitted.
        """
        if self.reach == "all":
            return None
        if not self.scope.company:
            raise NotPermitted("NO_ACCOUNT_SCOPE", "your role has no list by account: read the orders instead")
        return self.scope.company

    @property
    def role(self) -> str:
        """The role that the event log names."""
        return highest(self.principal.roles)

    def acting_as(self, asked: str) -> str:
        """The role in which it does what a role is asked for: that one where it has it, else its highest."""
        return asked if self.principal.has(asked) else self.role

    @property
    def sees_money(self) -> bool:
        """Whether prices, costs and totals are shown: not to the warehouse."""
        return self.principal.has(*SEES_PRICES)

    @property
    def sees_margin(self) -> bool:
        """Whether what an order earns is shown."""
        return self.principal.has(*SEES_MARGIN)


class Matrix:
    """Operation → role → reach; what is not listed is allowed to nobody. `grpc` is role → reach, for every method alike."""

    def __init__(
        self,
        http: Mapping[str, Mapping[str, Reach] | str],
        grpc: Mapping[str, Reach],
        console: Mapping[str, Mapping[str, Reach] | str],
    ) -> None:
        self.http = http
        self.grpc = grpc
        self.console = console

    def is_open(self, operation: str) -> bool:
        """Whether the operation takes no token: public, or proven by a signature."""
        row = self.http.get(operation)
        return isinstance(row, str) and row in _OPEN

    def reach(self, operation: str, role: str) -> Reach | None:
        """How far a role reaches in an operation ("POST /v1/orders" or "/oms.….Service/Method"); None when it may not."""
        is_method = operation.startswith(_METHODS)
        row = self.grpc if is_method else self.http.get(operation) or self.console.get(operation) or {}
        return None if isinstance(row, str) else row.get(role)

    def allows(self, principal: Principal, operation: str) -> bool:
        """Whether one of its roles may do this."""
        return any(self.reach(operation, role) is not None for role in principal.roles)

    def admit(self, principal: Principal, operation: str) -> Caller:
        """The caller with the widest reach of its roles; raises NotPermitted when none of them may do this."""
        reaches = [reach for role in principal.roles if (reach := self.reach(operation, role)) is not None]
        if not reaches:
            raise NotPermitted("ROLE_NOT_ALLOWED", "your role may not do this: ask an administrator who may")
        return Caller(principal, max(reaches, key=_WIDTH.__getitem__))


class _UniqueLoader(yaml.SafeLoader):
    """Reads YAML and refuses a key that is there twice, of which the library would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping with each key once."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        doubled = sorted(str(key) for key, times in Counter(keys).items() if times > 1)
        if doubled:
            raise ValueError(f"{', '.join(doubled)}: named twice{node.start_mark}")
        return super().construct_mapping(node, deep=deep)


@lru_cache(maxsize=1)
def load_matrix() -> Matrix:
    """The shipped matrix."""
    return parse_matrix(MATRIX_FILE.read_text("utf-8"))


def parse_matrix(text: str) -> Matrix:
    """The matrix of a document; ValueError, at start-up, for an unknown role or reach and for an operation that is listed twice."""
    document = yaml.load(text, _UniqueLoader)  # noqa: S506  # a SafeLoader
    for operation, row in {**document["http"], **document["console"], "grpc": document["grpc"]}.items():
        if isinstance(row, str) and row in _OPEN:
            continue
        if not set(row) <= ROLE_NAMES or not set(row.values()) <= set(_WIDTH):
            raise ValueError(f"{MATRIX_FILE.name}: {operation} names an unknown role or reach")
    return Matrix(document["http"], document["grpc"], document["console"])
