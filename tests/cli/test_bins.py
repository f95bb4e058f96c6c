"""`oms stock bins`, `put-bin` and `import-bins`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.fake_api import FakeApi
from tests.cli.terminal import Oms

BIN = {"warehouse_id": "wh_1", "sku": "PUMP-100", "bin": "A-01-3"}


def test_a_bin_is_put_and_listed(command: Oms, api: FakeApi) -> None:
    api.on("PUT /v1/stock/bins", {"changed_count": 1})
    api.page("GET /v1/stock/bins", BIN)

    put, gone = (
        command("stock", "put-bin", "PUMP-100", "A-01-3", "--warehouse", "wh_1"),
        command("stock", "put-bin", "PUMP-100", "", "--warehouse", "wh_1"),
    )
    listed = command("stock", "bins", "--sku", "PUMP-100")

    assert [one.body for one in api.asked[:2]] == [{"bins": [BIN]}, {"bins": [BIN | {"bin": ""}]}]
    assert (put.out, gone.out) == ("PUMP-100 lies in A-01-3 at wh_1\n", "PUMP-100 has no bin at wh_1\n")
    assert all(word in listed.out for word in BIN.values())


def test_a_csv_file_is_sent_in_parts(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    api.on("PUT /v1/stock/bins", {"changed_count": 500})
    api.on("PUT /v1/stock/bins", {"changed_count": 7})
    rows = "".join(f'wh_1,"S-{number}", A-{number}\r\n' for number in range(510))
    file = tmp_path / "bins.csv"
    file.write_text(f"﻿warehouse_id,sku,bin\r\n{rows}\r\n", encoding="utf-8")

    done = command("stock", "import-bins", str(file))

    assert done.out == "510 bins read, 507 of them new\n"
    assert [len(one.body["bins"]) for one in api.asked] == [500, 10]
    assert api.asked[1].body["bins"][-1] == {"warehouse_id": "wh_1", "sku": "S-509", "bin": "A-509"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"sku,bin\nA,B\n", "the first line of"),
        (b"", "the first line of"),
        (b"warehouse_id,sku,bin\nwh_1,PUMP\n", "line 2 of"),
        (b"warehouse_id,sku,bin\nwh_1,\xff,A\n", "cannot be read as CSV in UTF-8"),
        (b'warehouse_id,sku,bin\nwh_1,"PUMP,A\n', "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_list_of_bins_is_refused_before_anything_is_sent(
    command: Oms, api: FakeApi, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "bins.csv"
    file.write_bytes(content)

    refused = command("stock", "import-bins", str(file))

    assert (refused.code, said in refused.err, api.asked) == (1, True, [])


def test_a_file_that_is_not_there_is_said(command: Oms, api: FakeApi, tmp_path: Path) -> None:
    refused = command("stock", "import-bins", str(tmp_path / "none.csv"))

    assert (refused.code, "cannot be used" in refused.err, api.asked) == (1, True, [])
