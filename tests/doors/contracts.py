"""An import-linter contract that says what a room may import, where the built-in ones say what it may not."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

STANDARD_LIBRARY = sys.stdlib_module_names | {"__future__"}


class AllowListContract(Contract):
    """A room may import itself, the standard library and what is listed; anything else breaks the contract.

    Options:
        source_modules   the rooms, wildcards welcome; a name that matches nothing yet is no error
        except_modules   packages inside the rooms that this contract does not judge
        allowed_modules  packages the rooms may import
        ruled_packages  when given, only imports of these packages are judged, all others pass

    Imports are judged one by one, not through chains: a chain's next link is another room's business.
    """

    type_name = "allow_list"

    # Import-linter replaces each field by the value it parsed, which its own types do not say.
    source_modules: Any = fields.SetField(subfield=fields.ModuleExpressionField())
    except_modules: Any = fields.SetField(subfield=fields.StringField(), required=False)
    allowed_modules: Any = fields.SetField(subfield=fields.StringField(), required=False)
    ruled_packages: Any = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every import that leaves a room through no listed door."""
        strays = sorted(
            f"{importer} -> {imported}"
            for room in self._rooms(graph)
            for importer in self._modules_of(graph, room)
            for imported in graph.find_modules_directly_imported_by(importer)
            if self._is_ruled(imported) and not self._may_import(room, imported)
        )
        return ContractCheck(kept=not strays, metadata={"strays": strays})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line an import."""
        for stray in check.metadata["strays"]:
            output.print_error(stray)

    def _rooms(self, graph: ImportGraph) -> Iterator[str]:
        for expression in self.source_modules:
            if expression.has_wildcard_expression():
                yield from graph.find_matching_modules(expression.expression)
            elif expression.expression in graph.modules:
                yield expression.expression

    def _modules_of(self, graph: ImportGraph, room: str) -> set[str]:
        modules = {room} | graph.find_descendants(room)
        return {module for module in modules if not _is_inside(module, self.except_modules or ())}

    def _is_ruled(self, imported: str) -> bool:
        return not self.ruled_packages or _is_inside(imported, self.ruled_packages)

    def _may_import(self, room: str, imported: str) -> bool:
        return imported.partition(".")[0] in STANDARD_LIBRARY or _is_inside(
            imported, {room, *(self.allowed_modules or ())}
        )


def _is_inside(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
