"""Characters that no field takes, on no way in."""

from __future__ import annotations

UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff"
"""Characters no field takes, for a regular expression's class: C0 and C1 controls, bidi controls, invisible spaces."""
