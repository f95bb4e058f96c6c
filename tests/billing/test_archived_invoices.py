"""An invoice's PDF is PDF/A-3b with the e-invoice in it, and a code to pay by: read by programs that are not ours."""

from __future__ import annotations

import io
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import facturx
import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from services.billing.documents import rendering
from services.billing.documents.cii import cii
from services.billing.documents.content import invoice_content
from services.billing.documents.einvoice import einvoice_of
from services.billing.documents.seller import Seller
from services.billing.documents.xmp import with_einvoice
from services.billing.domain.invoices import Invoice
from tests.billing.test_einvoices import CASES, NORDPUMPE

HERE = Path(__file__).parent
NAMES = "東京都 · العربية · Łódź · Ελλάδα · Кирилиця"


def made(invoice: Invoice, seller: Seller = NORDPUMPE, *, has_xml: bool = True) -> bytes:
    xml = cii(einvoice_of(invoice, seller)).decode() if has_xml else ""
    return rendering.pdf(invoice_content(invoice, seller) | {"xml": xml})


def named(invoice: Invoice, name: str) -> Invoice:
    return replace(invoice, header=replace(invoice.header, bill_to_name=name))


def xmp(pdf: bytes) -> Mapping[str, str]:
    """Local name → text of the properties that are texts."""
    metadata = PdfReader(io.BytesIO(pdf)).xmp_metadata
    assert metadata is not None
    root = ET.fromstring(metadata.stream.get_data())
    return {node.tag.rpartition("}")[2]: node.text or "" for node in root.iter()}


def scanned(pdf: bytes) -> list[str]:
    """The texts of the codes on its first page, as a camera would see it."""
    bitmap = pypdfium2.PdfDocument(pdf)[0].render(scale=3, grayscale=True)
    pixels = memoryview(bytes(bitmap.buffer)).cast("B", (bitmap.height, bitmap.stride))
    return [code.text for code in zxingcpp.read_barcodes(pixels)]


@pytest.mark.parametrize("name", ["mixed rates", "paid where it was bought", "yen"])
def test_a_pdf_has_its_einvoice_in_it_and_says_so(name: str) -> None:
    pdf = made(CASES[name])

    file, xml = facturx.get_facturx_xml_from_pdf(pdf, check_xsd=True)
    said = xmp(pdf)
    assert (file, xml) == ("factur-x.xml", cii(einvoice_of(CASES[name], NORDPUMPE)))
    assert (said["part"], said["conformance"]) == ("3", "B")
    assert (said["DocumentFileName"], said["ConformanceLevel"], said["DocumentType"]) == (
        "factur-x.xml",
        "EN 16931",
        "INVOICE",
    )
    assert "INV-000001" in PdfReader(io.BytesIO(pdf)).pages[0].extract_text()


def test_a_long_invoice_made_in_a_process_of_its_own_has_it_too() -> None:
    invoice = CASES["one rate"]
    invoice = replace(invoice, lines=tuple(replace(invoice.lines[0], line_id=str(number)) for number in range(150)))

    pdf = made(invoice)

    assert facturx.get_facturx_xml_from_pdf(pdf, check_xsd=False)[0] == "factur-x.xml"
    assert len(PdfReader(io.BytesIO(pdf)).pages) > 2


def test_a_pdf_without_an_einvoice_is_pdf_a_and_claims_none() -> None:
    pdf = made(CASES["one rate"], has_xml=False)

    assert xmp(pdf)["part"] == "3"
    assert "ConformanceLevel" not in xmp(pdf)
    assert PdfReader(io.BytesIO(pdf)).attachments == {}


def test_a_glyph_that_no_font_has_leaves_a_pdf_that_does_not_claim_to_be_pdf_a() -> None:
    pdf = made(named(CASES["one rate"], "\U00013000 hieroglyph"))

    assert b"pdfaid" not in pdf
    assert "factur-x.xml" in PdfReader(io.BytesIO(pdf)).attachments


def test_six_lines_with_einvoice_and_code_take_little_cpu() -> None:
    invoice = CASES["mixed rates"]
    lines = tuple(replace(invoice.lines[number % 3], line_id=str(number)) for number in range(6))
    spent = []
    for attempt in range(6):
        begun = time.process_time()
        made(replace(invoice, lines=lines, number=f"INV-{attempt:06}"))
        spent.append(time.process_time() - begun)

    assert min(spent[1:]) < 0.05, spent  # typst and its fonts are loaded once a process


@pytest.mark.parametrize("pdf", [b"", b"%PDF-1.7 trailer", b"trailer\n<<>>\nstartxref\n0\n%%EOF"])
def test_a_pdf_that_typst_did_not_write_is_not_marked(pdf: bytes) -> None:
    with pytest.raises(ValueError, match="typst"):
        with_einvoice(pdf)


def test_the_code_on_an_invoice_in_euros_pays_what_is_open() -> None:
    [code] = scanned(made(CASES["part paid"]))

    # service, version, UTF-8, transfer, BIC, name, IBAN, amount, purpose, reference, text
    assert code.splitlines() == [
        "BCD", "002", "1", "SCT", "BYLADEM1001", "Kessler GmbH", "DE02120300000000202051", "EUR69", "", "", "INV-000001",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("invoice", "seller"),
    [
        (CASES["paid"], NORDPUMPE),
        (CASES["paid where it was bought"], NORDPUMPE),
        (CASES["one rate"], replace(NORDPUMPE, bank=("Hafenbank", "Konto 12345"))),
        (CASES["one rate"], replace(NORDPUMPE, bank=("DE03 1203 0000 0000 2020 51",))),
        (CASES["yen"], NORDPUMPE),
        (replace(CASES["one rate"], header=replace(CASES["one rate"].header, payment_method="card")), NORDPUMPE),
    ],
    ids=["paid", "paid elsewhere", "no IBAN", "wrong check digits", "no euros", "by card"],
)
def test_where_nothing_is_to_be_sent_in_euros_there_is_no_code(invoice: Invoice, seller: Seller) -> None:
    assert scanned(made(invoice, seller)) == []


@pytest.mark.parametrize("name", ["東京ポンプ株式会社", "Łódź & Søn <GmbH>", "N" * 200])
def test_whoever_sells_is_named_in_the_code(name: str) -> None:
    [code] = scanned(made(CASES["one rate"], replace(NORDPUMPE, name=name)))

    assert code.splitlines()[5] == name[:70]


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_verapdf_takes_every_kind_of_invoice_for_pdf_a_3b_and_finds_one_that_is_none(tmp_path: Path) -> None:
    maven, java = shutil.which("mvn"), shutil.which("java")
    if maven is None or java is None:
        pytest.skip("veraPDF needs Java and Maven, and this machine has not both")
    copying = [maven, "-q", "-B", "-f", str(HERE / "verapdf" / "pom.xml"), "dependency:copy-dependencies", f"-DoutputDirectory={tmp_path}/jars"]  # fmt: skip
    fetched = subprocess.run(copying, timeout=300, capture_output=True, check=False)
    if fetched.returncode:
        pytest.skip(f"veraPDF cannot be had from Maven: {fetched.stdout.decode()[-300:]}")
    cases = {**CASES, "names": named(CASES["one rate"], NAMES), "long": named(CASES["one rate"], "x" * 300)}
    for name, invoice in cases.items():
        (tmp_path / f"{name}.pdf").write_bytes(made(invoice))
    (tmp_path / "planted.pdf").write_bytes(made(named(CASES["one rate"], "\U00013000")))

    checking = [
        java,
        "-cp",
        f"{tmp_path}/jars/*",
        str(HERE / "verapdf" / "Check.java"),
        *map(str, sorted(tmp_path.glob("*.pdf"))),
    ]
    checked = subprocess.run(checking, timeout=300, capture_output=True, check=True, text=True)

    verdicts = {Path(line.partition(".pdf ")[0]).name: line.partition(".pdf ")[2] for line in checked.stdout.splitlines() if ".pdf " in line}  # fmt: skip
    assert verdicts.pop("planted") == "NOT compliant"
    assert verdicts == dict.fromkeys(cases, "compliant"), checked.stdout
