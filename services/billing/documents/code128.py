"""A text as a barcode: Code 128, set B, which every scanner of a warehouse reads; and digits as GS1-128, set C."""

from __future__ import annotations

from collections.abc import Sequence

from services.kernel.errors import InvalidArgument

_START_B, _START_C, _STOP = 104, 105, 106
_FNC1 = 102
"""What makes it GS1-128, where it comes first."""
_FIRST, _LAST = " ", "~"
_QUIET = 10
"""Modules of white that a scanner needs on both sides."""
_HEIGHT = 40

# fmt: off
_WIDTHS = (
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213", "221312", "231212",
    "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132", "221231", "213212", "223112", "312131",
    "311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131", "113123", "113321", "133121",
    "313121", "211331", "231131", "213113", "213311", "213131", "311123", "311321", "331121", "312113", "312311", "332111",
    "314111", "221411", "431111", "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242", "121142", "121241", "114212",
    "124112", "124211", "411212", "421112", "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113",
    "114311", "411113", "411311", "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
)
# fmt: on
"""Of each symbol the widths of its bars and spaces in turn, in modules."""


def widths(text: str) -> str:
    """The widths of bars and spaces in turn, beginning with a bar; InvalidArgument BARCODE_TEXT for what is no printable ASCII."""
    if not text or not all(_FIRST <= char <= _LAST for char in text):
        raise InvalidArgument("BARCODE_TEXT", "a barcode holds printable ASCII, at least one character")
    return _widths(_START_B, [ord(char) - ord(_FIRST) for char in text])


def gs1_widths(digits: str) -> str:
    """The widths of GS1-128: application identifiers and what they hold, an even count of digits; else InvalidArgument BARCODE_TEXT."""
    if not digits or len(digits) % 2 or not (digits.isascii() and digits.isdigit()):
        raise InvalidArgument("BARCODE_TEXT", "this barcode holds an even count of digits, at least two")
    return _widths(_START_C, [_FNC1, *(int(digits[at : at + 2]) for at in range(0, len(digits), 2))])


def barcode(text: str) -> str:
    """The barcode as SVG, a unit wide for each module."""
    return _svg(widths(text))


def gs1_barcode(digits: str) -> str:
    """The GS1-128 barcode as SVG, a unit wide for each module."""
    return _svg(gs1_widths(digits))


def _widths(start: int, values: Sequence[int]) -> str:
    check = (start + sum(place * value for place, value in enumerate(values, start=1))) % 103
    return "".join(_WIDTHS[value] for value in (start, *values, check, _STOP))


def _svg(of_widths: str) -> str:
    at, path = _QUIET, []
    for place, width in enumerate(map(int, of_widths)):
        if place % 2 == 0:
            path.append(f"M{at} 0h{width}v{_HEIGHT}h-{width}z")
        at += width
    whole = f"0 0 {at + _QUIET} {_HEIGHT}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{whole}"><path d="{"".join(path)}"/></svg>'
