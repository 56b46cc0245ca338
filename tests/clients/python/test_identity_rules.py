"""Rules of identity stitching over ADBC, while the server runs and takes events."""

import adbc_driver_manager
import pytest

from support import adbc, cli
from support.server import Server

RULES = """\
# Rules of the shop
id_types:
  - {name: user_id}
  - {name: email, normalize: email, filters: [{type: exclude, regex: "bot-.*"}]}
  - {name: phone, normalize: {phone: CN}}
block_values: {exact: ["it's nobody"], min_length: 2}
"""

EVENTS = """\
ts,event,user_id,mail,tel
2024-03-01T00:00:00Z,Visit,u1,Ann@SHOP.cn,138 0013 8000
2024-03-01T00:00:01Z,Visit,,Ann@shop.cn,
2024-03-01T00:00:02Z,Visit,u3,bot-1@shop.cn,+86 138-0013-8000
2024-03-01T00:00:03Z,Visit,It's Nobody,bot-1@shop.cn,
"""


@pytest.fixture
def server(tmp_path):
    data = tmp_path / "data"
    cli.run("workspace", "create", "convoke", "--data", data)
    server = Server(data)
    yield server
    server.stop()


def replace(connection, rules: str) -> int:
    text = rules.replace("'", "''")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE IDENTITY RULES FROM '{text}'")
        return cursor.rowcount


def test_rules_are_replaced_while_the_server_runs_and_hold_for_the_next_events(server, tmp_path):
    events = tmp_path / "events.csv"
    events.write_text(EVENTS, encoding="utf-8")
    with adbc.connect(server) as connection:
        assert replace(connection, RULES) == 1
        assert replace(connection, RULES) == 0, "these are in force"
        shown = adbc.one(connection, "SHOW IDENTITY RULES")
        assert "{name: phone, class: person, normalize: {phone: \"CN\"}}" in shown
        connect = ["--connect", server.http, "--token", server.token]
        cli.run("ingest", events, *connect, "--map", "id.email=mail,id.phone=tel")
        found = adbc.table(connection, "SELECT id_type, id_value FROM identities ORDER BY id_type, id_value")
        assert [tuple(row.values()) for row in found.to_pylist()] == [
            ("email", "Ann@shop.cn"),
            ("phone", "+8613800138000"),
            ("user_id", "u1"),
            ("user_id", "u3"),
        ]
        # All of them are one person by the phone; the last event is nobody's.
        assert adbc.one(connection, "SELECT count(DISTINCT person) FROM events") == 1
        assert adbc.one(connection, "SELECT count(*) FROM events WHERE person IS NULL") == 1
        # The text that was shown is the same rules.
        assert replace(connection, shown) == 0


def test_what_is_wrong_is_told_with_its_line_and_changes_nothing(server):
    with adbc.connect(server) as connection:
        before = adbc.one(connection, "SHOW IDENTITY RULES")
        for rules, parts in [
            ("version: 2\nid_types:\n- {name: email, unqiue: true}", ["line 1", "line 3", "did you mean unique?"]),
            ("id_types: [{name: email, max_fanout: 5}]", ["not supported yet", "max_fanout of email"]),
            ("&a [*a, *a]", ["line 1", "anchors"]),
        ]:
            with pytest.raises(adbc_driver_manager.Error) as refusal:
                replace(connection, rules)
            for part in parts:
                assert part in str(refusal.value), (part, str(refusal.value))
        assert adbc.one(connection, "SHOW IDENTITY RULES") == before


def test_an_analyst_neither_sees_nor_changes_rules(server):
    analyst = cli.run("token", "create", "--data", server.data, "--role", "analyst").stdout.strip()
    with adbc.connect(server, password=analyst) as connection:
        for statement in ["SHOW IDENTITY RULES", "CREATE OR REPLACE IDENTITY RULES FROM 'version: 1'"]:
            with pytest.raises(adbc_driver_manager.Error, match="role analyst may not"):
                adbc.table(connection, statement)
