"""Content to PDF by typst: from a template of ours, with the fonts beside it, without the network or the machine's fonts.

Run as a program, with the name of a template, it reads content as JSON from standard input and writes the PDF to standard output. It
imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typst import Fonts, PDFStandard

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "invoice.typ"
LABEL = FOLDER / "label.typ"
PACKING_SLIP = FOLDER / "packing_slip.typ"
BILL_OF_LADING = FOLDER / "bill_of_lading.typ"
SHIPPING_LABEL = FOLDER / "shipping_label.typ"
PICK_LIST = FOLDER / "pick_list.typ"


def typeset(content: str, template: Path = TEMPLATE) -> bytes:
    """The PDF/A-3b of content that is written as JSON; the same content gives the same bytes.

    What no font has a glyph for is printed as a box, and then the PDF does not claim to be PDF/A.
    """
    import typst  # only who renders pays for loading it

    created = datetime(**json.loads(content)["created"], tzinfo=UTC)

    def make(standards: list[PDFStandard]) -> bytes:
        return typst.compile(
            template,
            root=FOLDER,
            font_paths=fonts(),
            sys_inputs={"content": content},
            timestamp=created,
            pdf_standards=standards,
        )

    try:
        return make(["a-3b"])
    except typst.TypstError as fault:
        if not fault.message.startswith("PDF/A"):
            raise
        return make([])


@cache
def fonts() -> Fonts:
    """The fonts of this folder, found once."""
    import typst

    folder = FOLDER / "fonts"
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])


def be_ended_first() -> None:
    """Ask the kernel to end this process, and not the service beside it, when memory is short; only Linux can be asked."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


if __name__ == "__main__":
    be_ended_first()
    sys.stdout.buffer.write(typeset(sys.stdin.read(), FOLDER / sys.argv[1]))
