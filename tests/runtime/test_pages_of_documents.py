from __future__ import annotations

import pytest
from sqlalchemy import Column, MetaData, Table, Text, create_engine, insert
from sqlmodel import Session

from services.kernel.bounds import MAX_LINES, MAX_PAGE_LINES
from services.runtime.statements import fitting

LONG = MAX_PAGE_LINES // MAX_LINES

# fmt: off
PAGES = {
    "few documents are not counted": ([MAX_LINES] * LONG, LONG),
    "long ones end the page early": ([MAX_LINES] * (LONG + 5), LONG),
    "short ones do not": ([1] * 100, 100),
    "one that is too long goes alone": ([MAX_PAGE_LINES + 1] + [1] * LONG, 1),
    "nothing is a page of nothing": ([], 0),
}
# fmt: on


@pytest.mark.parametrize(("lines", "fits"), PAGES.values(), ids=PAGES.keys())
def test_a_page_has_as_many_documents_as_their_lines_allow(lines: list[int], fits: int) -> None:
    line = Table("line", MetaData(), Column("document_id", Text))
    ids = [str(place) for place in range(len(lines))]
    rows = [{"document_id": key} for key, count in zip(ids, lines, strict=True) for _ in range(count)]
    engine = create_engine("sqlite://")

    with engine.begin() as connection, Session(connection) as session:
        line.create(connection)
        for at in range(0, len(rows), 10_000):
            session.execute(insert(line), rows[at : at + 10_000])

        assert fitting(session, line.c.document_id, ids) == fits
