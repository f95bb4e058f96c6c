"""Reading a CEL predicate as a tree, so that its cost is known before anything runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_NESTING = 50
"""Brackets within brackets; a rule that a person can read needs five."""
MAX_DEPTH = 100
"""Parts within parts of the tree, members of members too: whoever walks it may do so by calling themselves."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<text>[rRbB]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>0[xX][0-9a-fA-F]+[uU]?|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>\|\||&&|==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_BINDS = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3, "+": 4, "-": 4, "*": 5, "/": 5, "%": 5,
}  # fmt: skip
"""Operator → how strongly it binds."""
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Unreadable(ValueError):
    """The text is no predicate that can be weighed; the message says why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a predicate: what `kind` it is, its own `text`, and what it is made of.

    chain: operands between operators of one strength, which are its `text` in order, separated by spaces · call: a function of its
    parts, the first of which is the receiver of a method · member, index: of the first part · choice: c ? a : b · text, number,
    name, list, map.
    """

    kind: str
    text: str = ""
    parts: tuple[Node, ...] = ()
    is_method: bool = False


def parse(predicate: str) -> Node:
    """The tree; Unreadable when it nests too deeply or is none. What CEL compiles is read, and little else is refused here."""
    reader = _Reader(list(_tokens(predicate)))
    tree = reader.expression()
    if reader.kind != "end":
        raise Unreadable(f"it goes on with {reader.text!r} where it should end")
    _check_depth(tree)
    return tree


def _check_depth(tree: Node) -> None:
    level: tuple[Node, ...] = (tree,)
    for _depth in range(MAX_DEPTH):
        level = tuple(part for node in level for part in node.parts)
    if level:
        raise Unreadable(f"it nests more than {MAX_DEPTH} levels")


def _tokens(predicate: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(predicate):
        found = _TOKEN.match(predicate, at)
        if found is None:
            raise Unreadable(f"it holds {predicate[at]!r}, which is not understood")
        at = found.end()
        if found.lastgroup != "space":
            yield str(found.lastgroup), found.group()
    yield "end", ""


class _Reader:
    """Walks the tokens once, from left to right."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def text(self) -> str:
        return self._tokens[self._at][1]

    def _is(self, sign: str) -> bool:
        return self.kind == "sign" and self.text == sign

    def _next(self) -> str:
        text = self.text
        self._at += 1
        return text

    def _take(self, sign: str) -> None:
        if not self._is(sign):
            raise Unreadable(f"{sign} is missing before {self.text!r}")
        self._at += 1

    def expression(self) -> Node:
        """A choice, or what stands without one."""
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise Unreadable(f"it nests more than {MAX_NESTING} levels")
        found = self._chain(1)
        if self._is("?"):
            self._next()
            yes = self._chain(1)
            self._take(":")
            found = Node("choice", parts=(found, yes, self.expression()))
        self._depth -= 1
        return found

    def _chain(self, strength: int) -> Node:
        """Operands of one strength side by side: a long sum is wide, not deep."""
        if strength > max(_BINDS.values()):
            return self._unary()
        parts, signs = [self._chain(strength + 1)], []
        while self.kind in ("sign", "name") and _BINDS.get(self.text) == strength:
            signs.append(self._next())
            parts.append(self._chain(strength + 1))
        return Node("chain", " ".join(signs), tuple(parts)) if signs else parts[0]

    def _unary(self) -> Node:
        count = 0
        while self._is("!") or self._is("-"):
            self._next()
            count += 1
        found = self._with_members(self._primary())
        return Node("call", "!", (found,)) if count else found

    def _with_members(self, found: Node) -> Node:
        while self._is(".") or self._is("["):
            if self._next() == "[":
                found = Node("index", parts=(found, self.expression()))
                self._take("]")
                continue
            name = self._next()
            found = (
                Node("call", name, (found, *self._arguments("(")), is_method=True)
                if self._is("(")
                else Node("member", name, (found,))
            )
        return found

    def _primary(self) -> Node:
        kind, text = self.kind, self.text
        if kind in ("text", "number"):
            return Node(kind, self._next())
        if kind == "name":
            self._next()
            return Node("call", text, self._arguments("(")) if self._is("(") else Node("name", text)
        if self._is("("):
            self._next()
            found = self.expression()
            self._take(")")
            return found
        if self._is("[") or self._is("{"):
            return Node("list" if text == "[" else "map", parts=self._arguments(text))
        raise Unreadable(f"{text or 'its end'} stands where a value should")

    def _arguments(self, opening: str) -> tuple[Node, ...]:
        """What stands between brackets; keys of a map and their values come one after the other."""
        self._take(opening)
        parts = []
        while not self._is(_CLOSING[opening]):
            parts.append(self.expression())
            if not self._is(",") and not (opening == "{" and self._is(":")):
                break
            self._next()
        self._take(_CLOSING[opening])
        return tuple(parts)
