"""JSON that readers understand differently is stored so that all understand it alike, whatever the file's format.

Right values: Python's json keeps the last of equal keys; half a surrogate pair becomes U+FFFD as WHATWG Encoding decodes it.
"""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support import cli

# (properties, value of b, value of a as text)
PROPERTIES = [
    ('{"a":"\\ud83d","b":1}', "1", "\ufffd"),
    ('{"a":"x\\udE00y","b":{"c":1},"b":2}', "2", "x\ufffdy"),
    ('{"a":"\\ud83d\\ude00","b":3}', "3", "\U0001f600"),
    ('{"a":"\\\\ud83d","b":4}', "4", "\\ud83d"),
    ('{"b":4,"a":"first","a":"last","b":5}', "5", "last"),
    ('{"b":"6","a":"plain"}', "6", "plain"),
]


def write(folder, kind):
    path = folder / f"events.{kind}"
    rows = [(f"m{at}", "2024-01-01T00:00:00Z", text) for at, (text, _, _) in enumerate(PROPERTIES)]
    if kind == "ndjson":
        lines = [
            f'{{"message_id":"{key}","ts":"{ts}","event":"e","user_id":"u","properties":{text},"context":{text}}}\n'
            for key, ts, text in rows
        ]
        path.write_text("".join(lines), encoding="ascii")
    elif kind == "csv":
        with path.open("w", newline="", encoding="ascii") as file:
            writer = csv.writer(file)
            writer.writerow(["message_id", "ts", "event", "user_id", "properties", "context"])
            writer.writerows((key, ts, "e", "u", text, text) for key, ts, text in rows)
    else:
        keys, times, texts = zip(*rows)
        names = {"message_id": keys, "ts": times, "event": ["e"] * len(keys), "user_id": ["u"] * len(keys)}
        table = {**names, "properties": texts, "context": texts}
        pq.write_table(pa.table({name: pa.array(values, pa.string()) for name, values in table.items()}), path)
    return path


@pytest.mark.parametrize("kind", ["ndjson", "csv", "parquet"])
@pytest.mark.parametrize("column", ["properties", "context"])
def test_json_is_stored_as_all_read_it(tmp_path, kind, column):
    cli.ingest(tmp_path / "data", write(tmp_path, kind))
    rows = cli.sql(
        tmp_path / "data",
        f"SELECT {column} AS text, {column} ->> 'a' AS a, {column} ->> 'b' AS b FROM events ORDER BY message_id",
    )
    assert len(rows) == len(PROPERTIES)
    for row, (given, b, a) in zip(rows, PROPERTIES):
        assert (row["b"], row["a"]) == (b, a), given
        # A strict reader in Python finds each key once and whole characters.
        pairs = json.loads(row["text"], object_pairs_hook=list)
        assert len(dict(pairs)) == len(pairs)
        row["text"].encode("utf-8")


def test_keys_deep_inside_are_kept_once(tmp_path):
    path = tmp_path / "events.ndjson"
    deep = '{"cart":{"items":[{"sku":"a","sku":"b"}],"total":1.50,"total":2.50}}'
    path.write_text(
        f'{{"message_id":"m","ts":"2024-01-01T00:00:00Z","event":"e","user_id":"u","properties":{deep}}}\n',
        encoding="ascii",
    )
    cli.ingest(tmp_path / "data", path)
    text = cli.value(tmp_path / "data", "SELECT properties AS p FROM events")
    assert text == '{"cart":{"items":[{"sku":"b"}],"total":2.50}}', "numbers stay as they are written"
