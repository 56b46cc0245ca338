"""A small seeded web log as NDJSON: nested properties, NULLs everywhere, times around a change of the clocks.

Offsets and hours are chosen so that Asia/Shanghai, America/New_York and UTC put many events on different days;
New York changed its clocks on 2024-11-03, inside the log.
"""

import datetime
import json
import pathlib
import random

ROWS = 3_000
START = datetime.datetime(2024, 10, 20, tzinfo=datetime.timezone.utc)
EVENTS = ("page_view", "search", "add_to_cart", "Order Completed")
COUPONS = ("A10", "B20", "it's", "100%", "x_y", "", "Ünï", "优惠")


def events() -> list[dict]:
    draw = random.Random(20241103)
    rows = []
    for number in range(ROWS):
        at = START + datetime.timedelta(milliseconds=draw.randrange(21 * 24 * 3600 * 1000))
        zone = datetime.timezone(datetime.timedelta(hours=draw.choice((-5, 0, 8))))
        row = {
            "message_id": f"web-{number:05}",
            "ts": at.astimezone(zone).isoformat(timespec="milliseconds"),
            "event": draw.choice(EVENTS),
            "anonymous_id": f"cookie-{draw.randrange(400)}",
            "source": draw.choice(("web", "app")),
            "channel": draw.choice(("organic", "paid", None)),
        }
        if draw.random() < 0.5:
            row["user_id"] = f"u{draw.randrange(150):03}"
        if draw.random() < 0.7:
            row["brand"] = draw.choice(("Nord", "Süd", None))
        if row["event"] == "Order Completed":
            row["revenue"] = draw.choice((0, draw.randrange(1_000_000) / 10_000))
            row["order_id"] = f"o-{number}"
            row["quantity"] = draw.randrange(1, 5)
        row["properties"] = _properties(draw)
        rows.append(row)
    return rows


def _properties(draw: random.Random) -> dict:
    properties: dict = {}
    if draw.random() < 0.6:
        properties["coupon"] = draw.choice((*COUPONS, None))
    if draw.random() < 0.5:
        properties["experiment"] = {"name": "home", "arm": draw.choice("abc"), "depth": draw.randrange(100)}
    if draw.random() < 0.5:
        properties["score"] = draw.choice((draw.random() * 10, None))
    if draw.random() < 0.3:
        properties["tags"] = draw.sample(["new", "sale", "kids"], draw.randrange(4))
    if draw.random() < 0.3:
        properties["logged_in"] = draw.random() < 0.5
    return properties


def write_ndjson(path: pathlib.Path) -> pathlib.Path:
    with open(path, "w", encoding="utf-8") as out:
        for row in events():
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path
