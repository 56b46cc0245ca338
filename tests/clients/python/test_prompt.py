"""`convoke sql` on a pseudo terminal, from standard input and from a file."""

import re

import pexpect
import pytest

from support import cdnow, cli

PROMPT = "convoke> "
LIMIT = 30
ENDLESS = "SELECT count(*) FROM events a CROSS JOIN events b CROSS JOIN events c WHERE a.revenue + b.revenue + c.revenue < 0;"
# Every purchase is stored at midnight UTC, which is 9 o'clock in Tokyo.
HOURS = "SELECT DISTINCT CAST(extract(hour FROM ts) AS INT) AS hour FROM events;"
COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


class Terminal:
    """A prompt on a pseudo terminal of 200 columns."""

    def __init__(self, history, *arguments):
        environment = cli.environment() | {"CONVOKE_HISTORY": str(history), "TERM": "xterm"}
        self.child = pexpect.spawn(
            str(cli.binary()),
            ["sql", *map(str, arguments)],
            env=environment,
            encoding="utf-8",
            timeout=LIMIT,
            dimensions=(50, 200),
        )
        self.ready()

    def ready(self) -> str:
        """What was printed before the next prompt. The prompt is drawn again with every key, so wait for a fresh line."""
        self.child.expect(r"\n(\x1b\[[0-9;?]*[a-zA-Z]|\r)*" + PROMPT)
        return COLOURS.sub("", self.child.before)

    def ask(self, line: str) -> str:
        self.child.send(line + "\r")
        return self.ready()

    def leave(self, keys: str = "\\q\r"):
        self.child.send(keys)
        self.child.expect(pexpect.EOF)
        self.child.close()
        assert self.child.exitstatus == 0, self.child.signalstatus


@pytest.fixture
def terminals(tmp_path, cdnow_loaded):
    """Opens prompts over the purchase log, all with one history."""
    opened = []

    def open_terminal(*arguments):
        opened.append(Terminal(tmp_path / "state" / "history", *(arguments or ("--data", cdnow_loaded))))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.child.close(force=True)


@pytest.fixture
def terminal(terminals):
    return terminals()


def test_a_statement_over_several_lines(terminal):
    terminal.child.send("SELECT count(*) AS n,\r")
    terminal.child.send("  ';' AS mark -- no end here;\r")
    terminal.child.send("FROM events;\r")
    # While several lines are edited they are drawn again with the prompt: wait for the rows.
    terminal.child.expect_exact(str(cdnow.ROWS))
    terminal.ready()
    terminal.leave()


def test_a_command_below_a_statement_runs_and_the_statement_goes_on(terminal):
    terminal.child.send("SELECT 4700 + 11 AS n\r")
    terminal.child.send("\\timing\r")
    terminal.child.expect_exact("Timing is on.")
    terminal.child.send("FROM events LIMIT 1;\r")
    terminal.child.expect_exact("4711")
    terminal.ready()
    assert "tables" in terminal.ask("help")
    terminal.leave()


def test_an_error_does_not_end_it(terminal):
    assert "events" in terminal.ask("SELECT * FROM evnts;")
    assert "4711" in terminal.ask("SELECT 4700 + 11 AS n;")
    terminal.leave("\x04")


def test_what_is_set_stays_set(terminal):
    terminal.ask("SET TIME ZONE 'Asia/Tokyo';")
    terminal.ask("\\format csv")
    assert "hour\n9" in terminal.ask(HOURS)
    terminal.leave()


def test_tables_columns_and_functions(terminal):
    shown = terminal.ask("\\d")
    assert all(name in shown for name in ("events", "orders", "dead_letters"))
    shown = terminal.ask("\\d orders")
    assert "net" in shown and "dead_letters" not in shown
    assert "milliseconds" in terminal.ask("\\d system.queries")
    assert "no table 'nothing'" in terminal.ask("\\d nothing")
    shown = terminal.ask("\\df date_*")
    assert "date_trunc" in shown and "sqrt" not in shown
    assert "person_timeline(id_type TEXT, id_value TEXT)" in terminal.ask("\\df person_*")
    assert "no command" in terminal.ask("\\nonsense")
    assert "\\timing" in terminal.ask("\\?")
    terminal.leave()


def test_timing_and_formats(terminal):
    assert not re.search(r"\d ms", terminal.ask("SELECT 1 AS n;"))
    assert "on" in terminal.ask("\\timing")
    assert re.search(r"1 rows, [\d.]+ ms", terminal.ask("SELECT 1 AS n;"))
    terminal.ask("\\format json")
    assert '{"n":7}' in terminal.ask("SELECT 7 AS n;")
    terminal.ask("\\format csv")
    assert "n\n8" in terminal.ask("SELECT 8 AS n;")
    terminal.leave()


def test_tab_completes(terminal):
    # One candidate each: the word is written out.
    shown = terminal.ask("SELECT count(*) AS n FROM order_i\t;")
    assert "order_items" in shown and "error" not in shown
    # A call opens its parenthesis.
    shown = terminal.ask("SELECT count(*) AS n FROM person_tim\t'user_id', '00004');")
    assert "error" not in shown and re.search(r"\b4\b", shown)
    shown = terminal.ask("sel\t message_i\t AS x FROM events LIMIT 1;")
    assert "message_id" in shown and "error" not in shown
    assert "date_bin" in terminal.ask("\\df date_b\t")
    terminal.leave()


def test_history_outlasts_the_prompt(terminals, tmp_path):
    first = terminals()
    first.child.send("SELECT 1234 + 1\r AS sum;\r")
    first.child.expect_exact("1235")
    first.ready()
    first.leave()
    assert (tmp_path / "state" / "history").stat().st_mode & 0o077 == 0, "others must not read it"
    second = terminals()
    # The first key up is the last line of before: \q.
    second.child.send("\x1b[A\x1b[A\r")
    second.child.expect_exact("1235")
    second.ready()
    second.leave()


def test_ctrl_c_cancels_the_statement(terminal):
    terminal.child.send(ENDLESS + "\r")
    terminal.child.expect_exact("\r\n")
    with pytest.raises(pexpect.TIMEOUT):
        terminal.child.expect_exact(PROMPT + "never", timeout=2)
    terminal.child.sendintr()
    assert "cancelled" in terminal.ready()
    assert str(cdnow.ROWS) in terminal.ask("SELECT count(*) AS n FROM events;")
    terminal.leave()


def test_ctrl_c_gives_a_line_up(terminal):
    terminal.child.send("SELECT nonsense\x03")
    terminal.ready()
    assert "99" in terminal.ask("SELECT 99 AS n;")
    terminal.leave()


def test_against_a_server(terminals, start_server, cdnow_loaded):
    server = start_server(cdnow_loaded)
    terminal = terminals("--connect", server.http, "--token", server.token)
    assert "order_items" in terminal.ask("\\d")
    assert str(cdnow.CUSTOMERS) in terminal.ask("SELECT count(*) AS n FROM identit\t;")
    terminal.ask("SET TIME ZONE 'Asia/Tokyo';")
    terminal.ask("\\format csv")
    assert "hour\n9" in terminal.ask(HOURS)
    terminal.child.send(ENDLESS + "\r")
    terminal.child.expect_exact("\r\n")
    with pytest.raises(pexpect.TIMEOUT):
        terminal.child.expect_exact(PROMPT + "never", timeout=2)
    terminal.child.sendintr()
    assert "cancelled" in terminal.ready()
    assert server.wait_until_idle(), "the statement still runs on the server"
    terminal.leave()


SCRIPT = "-- two statements\nSELECT 1 AS a; /* ; */ SELECT ';' AS b, '''' AS c;\n-- the end;"


def test_statements_from_standard_input(cdnow_loaded):
    done = cli.run("sql", "--data", cdnow_loaded, "--format", "csv", text_in=SCRIPT)
    assert done.stdout == "a\n1\nb,c\n;,'\n"


def test_statements_from_a_file(cdnow_loaded, tmp_path):
    path = tmp_path / "script.sql"
    path.write_text(SCRIPT + "\nSELECT 3 AS d", encoding="ascii")
    done = cli.run("sql", "-f", path, "--data", cdnow_loaded, "--format", "csv")
    assert done.stdout == "a\n1\nb,c\n;,'\nd\n3\n"
    missing = cli.run("sql", "--file", tmp_path / "none.sql", "--data", cdnow_loaded, code=1)
    assert "none.sql" in missing.stderr


def test_the_first_error_ends_a_script(cdnow_loaded):
    text = "SELECT 1 AS a; SELECT * FROM evnts; SELECT 2 AS b;"
    done = cli.run("sql", "--data", cdnow_loaded, "--format", "csv", text_in=text, code=1)
    assert done.stdout == "a\n1\n"
    assert "statement 2 of 3" in done.stderr and "events" in done.stderr


def test_options_set_in_a_script_hold_for_the_rest(cdnow_loaded):
    text = f"SET TIME ZONE 'Asia/Tokyo'; {HOURS}"
    done = cli.run("sql", "--data", cdnow_loaded, "--format", "csv", text_in=text)
    assert done.stdout == "hour\n9\n"


def test_a_statement_that_begins_with_a_comment(cdnow_loaded):
    done = cli.run("sql", "-- how many\nSELECT 5 AS n", "--data", cdnow_loaded, "--format", "csv")
    assert done.stdout == "n\n5\n"


def test_a_flag_that_was_mistyped_is_no_statement(cdnow_loaded):
    done = cli.run("sql", "--fromat", "--data", cdnow_loaded, code=2)
    assert "flag" in done.stderr
