"""What a PDF says of the e-invoice in it: the properties that Factur-X asks of its XMP metadata, which typst does not write."""

from __future__ import annotations

import re

FILE = "factur-x.xml"
_SPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = {
    "DocumentFileName": (FILE, "The name of the embedded XML document"),
    "DocumentType": ("INVOICE", "The type of the hybrid document in capital letters, such as INVOICE"),
    "Version": ("1.0", "The version of the standard that the embedded XML document has"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML document"),
}
_METADATA = re.compile(rb"(\d+) 0 obj\n<</Length (\d+)/Type/Metadata/Subtype/XML>>\nstream\n")
_TRAILER = re.compile(rb"trailer\n<<(.*?)>>\nstartxref\n(\d+)\n%%EOF\s*\Z", re.DOTALL)


def with_einvoice(pdf: bytes) -> bytes:
    """A PDF/A of typst whose metadata also says that an e-invoice is in it, by an update that follows it. ValueError for any other PDF."""
    written, trailer = list(_METADATA.finditer(pdf)), _TRAILER.search(pdf)
    if not written or trailer is None:
        raise ValueError("this PDF has no metadata in the form that typst writes")
    metadata = written[-1]  # what comes before it may be the content of an attached file
    begins = metadata.end()
    said = _declared(pdf[begins : begins + int(metadata[2])].decode())
    number, start = int(metadata[1]), len(pdf) + 1
    stream = b"%d 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%b\nendstream\nendobj\n" % (
        number,
        len(said),
        said,
    )
    table = b"xref\n%d 1\n%010d 00000 n\r\n" % (number, start)
    ends = b"trailer\n<<%b/Prev %b>>\nstartxref\n%d\n%%%%EOF" % (trailer[1], trailer[2], start + len(stream))
    return pdf + b"\n" + stream + table + ends


def _declared(xmp: str) -> bytes:
    """The metadata with the properties, and with the schema that PDF/A wants of properties it does not know."""
    bag, end = "<pdfaExtension:schemas><rdf:Bag>", "</rdf:RDF>"
    if xmp.count(bag) != 1 or xmp.count(end) != 1:
        raise ValueError("this PDF has no metadata in the form that typst writes")
    return xmp.replace(bag, bag + _schema()).replace(end, _values() + end).encode()


def _values() -> str:
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _PROPERTIES.items())
    return f'<rdf:Description rdf:about="" xmlns:fx="{_SPACE}">{values}</rdf:Description>'


def _schema() -> str:
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        f"<pdfaProperty:category>external</pdfaProperty:category><pdfaProperty:description>{what}</pdfaProperty:description></rdf:li>"
        for name, (_, what) in _PROPERTIES.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_SPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )
