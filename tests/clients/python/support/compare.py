"""Compares two results as bags of rows: integers and decimals exactly, floats within 1e-9."""

import datetime
import json
import math
from decimal import Decimal

import pyarrow as pa

FLOAT_TOLERANCE = 1e-9
# A decimal beside a DOUBLE: what one engine keeps exact the other may give as DOUBLE.
DECIMAL_TO_FLOAT_TOLERANCE = 1e-8


def plain(value):
    """A Python value that compares the same whichever engine it came from."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo is None else value.astimezone(datetime.timezone.utc)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def _order(value) -> str:
    if isinstance(value, (float, Decimal)):
        return f"number {float(value):+025.6f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"number {float(value):+025.6f}"
    return f"{type(value).__name__} {value}"


def rows_of(table: pa.Table) -> list[tuple]:
    columns = [[plain(value) for value in column.to_pylist()] for column in table.columns]
    return sorted(zip(*columns), key=lambda row: [_order(value) for value in row])


def same(left, right) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, numbers) and isinstance(right, numbers):
        if isinstance(left, float) and isinstance(right, float):
            return math.isclose(left, right, rel_tol=FLOAT_TOLERANCE, abs_tol=1e-12)
        if isinstance(left, float) or isinstance(right, float):
            return abs(float(left) - float(right)) <= DECIMAL_TO_FLOAT_TOLERANCE * max(1.0, abs(float(left)))
        return left == right
    return type(left) is type(right) and left == right


def assert_same(ours: pa.Table, theirs: pa.Table, what: str):
    assert ours.num_columns == theirs.num_columns, f"{what}: {ours.schema} against {theirs.schema}"
    left, right = rows_of(ours), rows_of(theirs)
    assert len(left) == len(right), f"{what}: {len(left)} rows, {len(right)} expected"
    differing = [
        (mine, other)
        for mine, other in zip(left, right)
        if not all(same(one, two) for one, two in zip(mine, other, strict=True))
    ]
    shown = "\n".join(f"  got      {mine}\n  expected {other}" for mine, other in differing[:5])
    assert not differing, f"{what}: {len(differing)} of {len(left)} rows differ\n{shown}"


def json_rows(text: str) -> list[dict]:
    """Rows of `--format json`: one object a line, or one array."""
    text = text.strip()
    if text.startswith("["):
        return json.loads(text)
    return [json.loads(line) for line in text.splitlines() if line.strip()]
