"""Random events of many groups, and the same funnels and sequences written for Convoke and for ClickHouse (chdb)."""

import itertools
import pathlib
import random

import chdb
import pyarrow as pa
import pyarrow.parquet

GROUPS = 120_000
STEPS = 4
# Bit `step` of the mask: both engines have the remainder, only one has `&`.
CONDITIONS = [f"mask % {2 << step} >= {1 << step}" for step in range(STEPS)]
WINDOWS = [1, 4, 12]
# None ends in a condition on time: ClickHouse then reads the time of an event behind the last one, whatever lies there.
PATTERNS = [
    "(?1)(?2)",
    "(?1).*(?2)",
    "(?1).(?3)",
    "(?1).*(?2).*(?3)",
    "(?2).*.(?2)",
    ".(?4)",
    "(?1)(?t<=2)(?2)",
    "(?1)(?t<3)(?3)",
    "(?1)(?t>2)(?2)",
    "(?1)(?t>=5)(?4)",
    "(?2)(?t==3)(?1)",
    "(?1)(?t<=4).*(?2)(?t>1)(?3)",
    "(?1).(?t<=3)(?2)",
    ".*(?t>=2)(?3)",
]


def funnel_modes() -> list[list[str]]:
    """Every set of modes: 'allow_reentry' only with 'strict_order'."""
    free = ["strict_order", "strict_deduplication", "strict_increase", "strict_once"]
    sets = [list(chosen) for size in range(5) for chosen in itertools.combinations(free, size)]
    return sets + [[*chosen, "allow_reentry"] for chosen in sets if "strict_order" in chosen]


def events(seed: int, distinct_times: bool) -> pa.Table:
    """Rows (grp, t, mask), shuffled. Bit i of `mask` is condition i; a row may meet several or none.

    With `distinct_times` no two rows of a group have one time: ClickHouse leaves the order of such rows open.
    """
    chance = random.Random(seed)
    masks = [0, 0, 1, 1, 1, 2, 2, 2, 4, 4, 8, 8, 3, 6, 12, 5, 15]
    rows = []
    for group in range(GROUPS):
        size = min(int(chance.expovariate(1 / 6)) + 1, 30)
        span = chance.choice([4, 12, 40])
        times = chance.sample(range(max(span, size)), size) if distinct_times else [chance.randrange(span) for _ in range(size)]
        rows += [(group, time, chance.choice(masks)) for time in times]
    chance.shuffle(rows)
    groups, times, masks = (pa.array(column, pa.int64()) for column in zip(*rows))
    return pa.table({"grp": groups, "t": times, "mask": masks})


def sql(columns: dict[str, str], source: str) -> str:
    chosen = ", ".join(f"{expression} AS {name}" for name, expression in columns.items())
    return f"SELECT grp, {chosen} FROM {source} GROUP BY grp ORDER BY grp"


def funnels(window: int) -> tuple[dict[str, str], dict[str, str]]:
    """The same columns for Convoke and for ClickHouse: one a set of modes."""
    ours, theirs = {}, {}
    steps = ", ".join(CONDITIONS)
    for modes in funnel_modes():
        name = "_".join(["funnel", *modes])
        named = f"'{','.join(modes)}', " if modes else ""
        ours[name] = f"window_funnel({window}, {named}t, {steps})"
        parameters = ", ".join([str(window), *(f"'{mode}'" for mode in modes)])
        theirs[name] = f"windowFunnel({parameters})(toUInt32(t), {steps})"
    return ours, theirs


def retentions() -> tuple[dict[str, str], dict[str, str]]:
    steps = ", ".join(CONDITIONS)
    later = "mask = 3, t > 5, mask = 15"
    ours = {"r0": f"retention({steps})", "r1": f"retention({later})"}
    return ours, dict(ours)


def sequences(ours: str, theirs: str) -> tuple[dict[str, str], dict[str, str]]:
    """The same columns for Convoke and for ClickHouse: one a pattern."""
    steps = ", ".join(CONDITIONS)
    numbered = list(enumerate(PATTERNS))
    return (
        {f"p{number}": f"{ours}('{pattern}', t, {steps})" for number, pattern in numbered},
        {f"p{number}": f"{theirs}('{pattern}')(toUInt32(t), {steps})" for number, pattern in numbered},
    )


def clickhouse(table: pa.Table, columns: dict[str, str], folder: pathlib.Path) -> pa.Table:
    """What ClickHouse makes of the rows, read in the order of time and, within one time, of the conditions met."""
    path = folder / "events.parquet"
    pa.parquet.write_table(table, path)
    source = f"(SELECT * FROM file('{path}') ORDER BY grp, t, mask)"
    return chdb.query(sql(columns, source) + " SETTINGS max_threads = 1, query_plan_remove_redundant_sorting = 0", "ArrowTable")


def differences(ours: pa.Table, theirs: pa.Table) -> list[str]:
    """The columns that differ, with the first group in which they do."""
    found = []
    for name in theirs.column_names:
        left, right = ours.column(name).to_pylist(), theirs.column(name).to_pylist()
        if left and isinstance(left[0], bool):
            right = [bool(value) for value in right]
        if left and isinstance(left[0], list):
            right = [[type(item)(value) for item, value in zip(mine, other)] if len(mine) == len(other) else other
                     for mine, other in zip(left, right)]
        if left != right:
            place = next(place for place, (mine, other) in enumerate(zip(left, right)) if mine != other)
            found.append(f"{name}, group {place}: got {left[place]}, expected {right[place]}")
    return found
