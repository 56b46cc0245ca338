"""Statements at which DataFusion 55.2 is wrong, or was, with their kin: DuckDB gives the same rows for each.

Tables of cases C5 to C13: a, b (id, g), n (v, g), k1, k2 (k, l), t (a, s), m (v) as bags.
"""

TABLES = [
    "CREATE TABLE a AS SELECT * FROM (VALUES (1,10),(2,20),(3,NULL),(NULL,40),(4,40)) AS x(id, g)",
    "CREATE TABLE b AS SELECT * FROM (VALUES (1,10),(NULL,20),(5,NULL),(4,40)) AS x(id, g)",
    "CREATE TABLE c AS SELECT * FROM (VALUES (1,10),(1,11),(4,40),(2,20),(2,20)) AS x(id, g)",
    "CREATE TABLE nothing AS SELECT * FROM (VALUES (1,10)) AS x(id, g) WHERE id > 1",
    "CREATE TABLE n AS SELECT v, v % 5 AS g FROM (SELECT unnest(range(1, 1001)) AS v) x",
    "CREATE TABLE k1 AS SELECT * FROM (VALUES (1,'x'),(2,'y')) AS x(k, l)",
    "CREATE TABLE k2 AS SELECT * FROM (VALUES (2,'q'),(7,'r'),(NULL,'s')) AS x(k, r)",
    "CREATE TABLE k3 AS SELECT * FROM (VALUES (7,'u'),(9,'v'),(1,'w')) AS x(k, z)",
    "CREATE TABLE m1 AS SELECT * FROM (VALUES (1),(1),(1),(2),(3),(NULL),(NULL)) AS x(v)",
    "CREATE TABLE m2 AS SELECT * FROM (VALUES (1),(2),(2),(NULL)) AS x(v)",
    "CREATE TABLE p1 AS SELECT * FROM (VALUES (1,'x'),(1,'x'),(1,NULL),(NULL,'x'),(NULL,'x')) AS x(v, w)",
    "CREATE TABLE p2 AS SELECT * FROM (VALUES (1,'x'),(NULL,'x'),(NULL,'x'),(NULL,'x'),(2,NULL)) AS x(v, w)",
]

# What stands on the left, and what subqueries of one column without and with outer columns.
VALUES = ["a.id", "3", "1", "NULL", "a.id + 0", "coalesce(a.id, 9)", "nullif(a.id, 1)", "a.g / 10"]
SUBQUERIES = [
    "SELECT id FROM b",
    "SELECT id FROM b WHERE id IS NOT NULL",
    "SELECT id FROM nothing",
    "SELECT b.id FROM b WHERE b.g < a.g",
    "SELECT b.id FROM b WHERE b.g = a.g",
    "SELECT b.id FROM b WHERE b.g > a.g OR b.g IS NULL",
    "SELECT DISTINCT c.id FROM c WHERE c.g >= a.g",
    "SELECT c.id FROM b JOIN c ON b.id = c.id WHERE c.g = a.g",
]
PLACES = [
    "{p}",
    "NOT ({p})",
    "{p} OR a.id = 4",
    "{p} AND a.g > 10",
    "NOT ({p} AND a.g = 40)",
    "({p}) IS NULL",
    "({p}) IS NOT TRUE",
    "CASE WHEN {p} THEN a.id = 1 ELSE a.id > 1 END",
    "coalesce({p}, a.g = 20)",
]


def membership(value: str) -> list[str]:
    """IN and NOT IN of one value, everywhere in a condition."""
    return [
        f"SELECT a.id, a.g FROM a WHERE {place.format(p=f'{value} {operator} ({subquery})')}"
        for subquery in SUBQUERIES
        for operator in ("IN", "NOT IN")
        for place in PLACES
    ]


ANY_ALL = [
    f"SELECT a.id, a.g FROM a WHERE {place.format(p=f'{value} {operator} ({subquery})')}"
    for value in ("a.id", "2")
    for subquery in SUBQUERIES[:5]
    for operator in ("= ANY", "<> ALL", "> ANY", "<= ALL", "<> ANY", "= ALL")
    for place in ("{p}", "NOT ({p})", "({p}) IS NULL")
]

ELSEWHERE = [
    "SELECT g, count(*) AS c FROM a GROUP BY g HAVING g NOT IN (SELECT g FROM b)",
    "SELECT g, count(*) AS c FROM a GROUP BY g HAVING count(*) IN (SELECT id FROM b) OR g IS NULL",
    "SELECT a.id FROM a JOIN c ON a.id = c.id AND a.id NOT IN (SELECT id FROM b WHERE id < 4)",
    "SELECT a.id FROM a JOIN c ON a.id = c.id AND c.g IN (SELECT g FROM b) AND a.g > 5",
    "SELECT a.id FROM a JOIN c ON a.id = c.id WHERE c.g NOT IN (SELECT g FROM b WHERE b.id = a.id)",
    "SELECT x.id FROM (SELECT id FROM a WHERE id NOT IN (SELECT id FROM b WHERE g = 20)) x",
    "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b WHERE id NOT IN (SELECT id FROM c))",
    "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.g = a.g AND b.id NOT IN (SELECT id FROM c WHERE g = 11))",
    "WITH w AS (SELECT id FROM b) SELECT id FROM a WHERE 3 NOT IN (SELECT id FROM w)",
    "SELECT id FROM a WHERE id NOT IN (SELECT id FROM b) UNION ALL SELECT id FROM c WHERE id NOT IN (SELECT id FROM b)",
    "SELECT id FROM a WHERE (SELECT max(id) FROM c) NOT IN (SELECT id FROM b)",
    "SELECT id FROM a WHERE id NOT IN (SELECT max(id) FROM b WHERE b.g = a.g GROUP BY b.g)",
]

ROWS_OF_C = "SELECT {what} FROM c WHERE c.id = a.id"
CORRELATED = [
    f"SELECT a.id, a.g FROM a WHERE {negation}EXISTS ({subquery})"
    for negation in ("", "NOT ")
    for subquery in [
        ROWS_OF_C.format(what="1"),
        ROWS_OF_C.format(what="1") + " LIMIT 1",
        ROWS_OF_C.format(what="1") + " LIMIT 0",
        ROWS_OF_C.format(what="1") + " OFFSET 1",
        ROWS_OF_C.format(what="1") + " LIMIT 1 OFFSET 1",
        ROWS_OF_C.format(what="1") + " LIMIT 5 OFFSET 2",
        ROWS_OF_C.format(what="g") + " ORDER BY g LIMIT 1",
        ROWS_OF_C.format(what="DISTINCT g") + " OFFSET 1",
        ROWS_OF_C.format(what="g") + " GROUP BY g",
        ROWS_OF_C.format(what="count(*)"),
        ROWS_OF_C.format(what="max(g) + 1"),
        ROWS_OF_C.format(what="count(*)") + " HAVING count(*) > 1",
        ROWS_OF_C.format(what="count(*)") + " HAVING count(*) = 0",
        ROWS_OF_C.format(what="max(g)") + " HAVING max(g) IS NULL",
        ROWS_OF_C.format(what="count(*)") + " GROUP BY g HAVING count(*) > 1",
        "SELECT 1 FROM (SELECT * FROM c LIMIT 3) x WHERE x.id IS NOT NULL",
        "SELECT 1 FROM c OFFSET 4",
        "SELECT 1 FROM c OFFSET 5",
        "SELECT count(*) FROM nothing",
    ]
] + [
    f"SELECT a.id, a.g FROM a WHERE {value} {operator} ({subquery})"
    for value in ("0", "1", "a.id", "NULL")
    for operator in ("IN", "NOT IN", "= ANY", "> ALL")
    for subquery in [
        ROWS_OF_C.format(what="count(*)"),
        ROWS_OF_C.format(what="count(*) + 1"),
        ROWS_OF_C.format(what="max(g) / 10"),
        "SELECT x.k FROM (SELECT count(*) AS k FROM c WHERE c.id = a.id) x",
    ]
] + [
    "SELECT id, (SELECT count(*) FROM c WHERE c.id = a.id) AS k FROM a",
    "SELECT id, (SELECT count(*) + 1 FROM c WHERE c.id = a.id AND c.g > 10) AS k FROM a",
    "SELECT id, (SELECT sum(g) FROM c WHERE c.id = a.id) AS k FROM a",
    "SELECT id, (SELECT CASE WHEN count(*) = 0 THEN 'none' ELSE 'some' END FROM c WHERE c.id = a.id) AS k FROM a",
    "SELECT id, (SELECT coalesce(max(g), -1) FROM c WHERE c.id = a.id) AS k FROM a",
    "SELECT id FROM a WHERE (SELECT count(*) FROM c WHERE c.id = a.id) = 0",
    "SELECT id FROM a WHERE (SELECT count(*) FROM c WHERE c.id = a.id) < 2 OR g = 20",
    "SELECT id, (SELECT count(DISTINCT g) FROM c WHERE c.id = a.id) AS k FROM a",
    "SELECT id, (SELECT count(*) FILTER (WHERE g > 10) FROM c WHERE c.id = a.id) AS k FROM a",
    "SELECT id, (SELECT max(g) FROM c) AS k FROM a",
    "SELECT id, (SELECT g FROM c ORDER BY g DESC LIMIT 1) AS k FROM a",
    "SELECT a.id, x.k FROM a, LATERAL (SELECT count(*) AS k FROM c WHERE c.id = a.id) x",
    "SELECT a.id, x.k FROM a LEFT JOIN LATERAL (SELECT max(g) AS k FROM c WHERE c.id = a.id) x ON true",
]

# Right or refused: an error must say what to write.
RIGHT_OR_REFUSED = [
    "SELECT id FROM a WHERE id NOT IN (SELECT max(id) FROM b WHERE b.g > a.g GROUP BY b.g)",
    "SELECT id, (SELECT g FROM c WHERE c.id = a.id ORDER BY g LIMIT 1) AS k FROM a",
    "SELECT id, (SELECT max(k) FROM (SELECT count(*) AS k FROM c WHERE c.id = a.id) x) AS k FROM a",
    "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM (SELECT row_number() OVER () AS r FROM c WHERE c.id = a.id) x WHERE r = 2)",
    "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM c WHERE c.id = a.id GROUP BY ROLLUP (c.id))",
    "SELECT id FROM a WHERE id IN (SELECT c.id FROM c WHERE c.id = a.id GROUP BY ROLLUP (c.id))",
    "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM (SELECT * FROM c WHERE c.id = a.id) x JOIN (SELECT * FROM b ORDER BY g LIMIT 1) y ON x.g = y.g)",
    "SELECT id FROM a WHERE id IN (SELECT c.id FROM c WHERE c.g = a.g LIMIT 1)",
    "SELECT id FROM a WHERE id IN (SELECT c.id FROM c WHERE c.g = a.g ORDER BY c.id OFFSET 1)",
    "SELECT id FROM a WHERE 1 NOT IN (SELECT count(*) FROM c WHERE c.id = a.id HAVING count(*) > 0)",
    "SELECT id, id IN (SELECT id FROM b) AS there FROM a",
    "SELECT id, EXISTS (SELECT 1 FROM b WHERE b.id = a.id) AS there FROM a",
    "SELECT count(*) FILTER (WHERE id NOT IN (SELECT id FROM b)) AS k FROM a",
    "SELECT a.id FROM a LEFT JOIN c ON a.id = c.id AND c.g IN (SELECT g FROM b)",
    "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b LEFT JOIN (SELECT * FROM c WHERE c.id = a.id) x ON b.id = x.id WHERE x.id IS NULL)",
    "SELECT id FROM a WHERE EXISTS (SELECT DISTINCT ON (g) g FROM c WHERE c.id = a.id ORDER BY g)",
    "SELECT id FROM a WHERE EXISTS (SELECT g FROM c WHERE c.id = a.id INTERSECT SELECT g FROM b)",
    "SELECT id FROM a WHERE EXISTS (SELECT g FROM b EXCEPT SELECT g FROM c WHERE c.id = a.id)",
    "SELECT a.id, x.k FROM a, LATERAL (SELECT g AS k FROM c WHERE c.id = a.id ORDER BY g LIMIT 1) x",
    "SELECT id, (SELECT count(*) FROM c WHERE c.id > a.id) AS k FROM a",
    "SELECT id, (SELECT count(*) FROM c WHERE c.id = a.id HAVING count(*) > 1) AS k FROM a",
    "SELECT id, (SELECT count(*) FROM c WHERE c.id = a.id HAVING count(*) = 0) AS k FROM a",
    "SELECT x, count(DISTINCT g) OVER (PARTITION BY x) AS k FROM (SELECT v % 3 AS x, g FROM n) y",
    "SELECT k, count(*) AS c FROM k1 NATURAL FULL JOIN (SELECT 7 AS k) x GROUP BY k",
    "SELECT g, sum(v) AS s FROM n GROUP BY ROLLUP (1)",
    "SELECT g % 2 AS x, sum(v) AS s FROM n GROUP BY 1 WITH ROLLUP",
    "FROM k1",
]

SETS = [
    f"{left} {operator} ALL {right}"
    for operator in ("INTERSECT", "EXCEPT")
    for left, right in [
        ("SELECT v FROM m1", "SELECT v FROM m2"),
        ("SELECT v FROM m2", "SELECT v FROM m1"),
        ("SELECT v FROM m1", "SELECT v FROM m1"),
        ("SELECT v, w FROM p1", "SELECT v, w FROM p2"),
        ("SELECT v, w FROM p2", "SELECT v, w FROM p1"),
        ("SELECT DISTINCT v FROM m1", "SELECT v FROM m2"),
        ("SELECT v + 0 AS v FROM m1", "SELECT CAST(v AS SMALLINT) FROM m2"),
        ("SELECT v FROM m1 WHERE v > 5", "SELECT v FROM m2"),
        ("SELECT v FROM m1", "SELECT v FROM m2 WHERE v > 5"),
        ("SELECT v % 3 AS r FROM n", "SELECT g AS r FROM n"),
    ]
] + [
    "SELECT v FROM m1 INTERSECT SELECT v FROM m2",
    "SELECT v FROM m1 EXCEPT SELECT v FROM m2",
    "SELECT v FROM m1 EXCEPT ALL SELECT v FROM m2 EXCEPT ALL SELECT v FROM m2",
    "SELECT v FROM m1 UNION ALL SELECT v FROM m2 INTERSECT ALL SELECT v FROM m1",
    "SELECT count(*) AS c, v FROM (SELECT v FROM m1 EXCEPT ALL SELECT v FROM m2) x GROUP BY v",
    "WITH w AS (SELECT v FROM m1 INTERSECT ALL SELECT v FROM m2) SELECT w.v FROM w JOIN m1 ON w.v = m1.v",
    "SELECT v FROM m1 WHERE v NOT IN (SELECT v FROM m1 EXCEPT ALL SELECT v FROM m2)",
]

JOINS = [
    f"SELECT {columns} FROM k1 {join} k2 USING (k){rest}"
    for join in ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "RIGHT OUTER JOIN", "FULL OUTER JOIN")
    for columns, rest in [
        ("k", ""),
        ("*", ""),
        ("k, l, r", " WHERE k = 7"),
        ("k1.k AS a, k2.k AS b, k", ""),
        ("k + 1 AS k1", " WHERE k IS NOT NULL"),
        ("k, count(*) AS c", " GROUP BY k"),
        ("max(k) AS m", " HAVING max(k) > 1"),
        ("l", " ORDER BY k"),
        ("k AS x", " ORDER BY k DESC"),
        ("r", " WHERE k IN (SELECT k FROM k3)"),
        ("k, row_number() OVER (ORDER BY k NULLS LAST) AS i", ""),
        ("DISTINCT k", " WHERE l IS NULL OR r IS NULL"),
    ]
] + [
    "SELECT k FROM k1 NATURAL FULL JOIN k2 WHERE k = 7",
    "SELECT * FROM k1 NATURAL FULL JOIN k2",
    "SELECT * FROM k1 NATURAL RIGHT JOIN k2",
    "SELECT * FROM k1 NATURAL JOIN k2",
    "SELECT k FROM k1 FULL JOIN k2 USING (k) FULL JOIN k3 USING (k)",
    "SELECT * FROM k1 FULL JOIN k2 USING (k) FULL JOIN k3 USING (k)",
    "SELECT * FROM k1 FULL JOIN k2 USING (k) LEFT JOIN k3 USING (k)",
    "SELECT * FROM k1 FULL JOIN k2 USING (k) JOIN k3 USING (k)",
    "SELECT k, l, r, z FROM k1 RIGHT JOIN k2 USING (k) RIGHT JOIN k3 USING (k)",
    "SELECT k, l, r, z FROM k1 LEFT JOIN k2 USING (k) FULL JOIN k3 USING (k)",
    "SELECT k, l FROM k1 AS x RIGHT JOIN k2 AS y USING (k)",
    "SELECT k FROM (SELECT k FROM k1) x FULL JOIN (SELECT k FROM k2) y USING (k)",
    "WITH w AS (SELECT k FROM k2) SELECT k FROM k1 FULL JOIN w USING (k)",
    "SELECT sum(k) AS s FROM (SELECT k FROM k1 FULL JOIN k2 USING (k)) x",
    "SELECT k FROM k1 FULL JOIN k2 USING (k) UNION ALL SELECT k FROM k1 RIGHT JOIN k3 USING (k)",
    "SELECT x.k FROM (SELECT * FROM k1 FULL JOIN k2 USING (k)) x WHERE x.k > 1",
]

CLAUSES = [
    "SELECT g, sum(v) AS s FROM n GROUP BY g WITH ROLLUP",
    "SELECT g, v % 2 AS p, sum(v) AS s FROM n GROUP BY g, v % 2 WITH CUBE",
    "SELECT g, v % 2 AS p, sum(v) AS s FROM n GROUP BY g, v % 2 WITH ROLLUP",
    "SELECT g, sum(v) AS s FROM n GROUP BY ROLLUP (g)",
    "SELECT g, v % 2 AS p, count(*) AS c FROM n GROUP BY GROUPING SETS ((g, v % 2), (g), ())",
    "SELECT g, max(v) AS m FROM n GROUP BY ALL",
    "SELECT DISTINCT ON (g) g, v FROM n ORDER BY g, v DESC",
    "SELECT v FROM n QUALIFY row_number() OVER (PARTITION BY g ORDER BY v) = 1",
    "SELECT g, sum(v) OVER w AS s FROM n WINDOW w AS (PARTITION BY g ORDER BY v)",
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 5) SELECT i FROM r",
    "SELECT x.p, x.q FROM (SELECT v, g FROM n WHERE v < 3) AS x(p, q)",
    "SELECT * EXCLUDE (g) FROM n WHERE v < 3",
    "SELECT * REPLACE (g + 1 AS g) FROM n WHERE v < 3",
    "SELECT v FROM n ORDER BY v DESC NULLS LAST LIMIT 3 OFFSET 2",
    "SELECT string_agg(CAST(v AS VARCHAR), ',' ORDER BY v DESC) AS s FROM n WHERE v < 5",
    "SELECT sum(v) FILTER (WHERE g = 1) AS s, count(DISTINCT g) AS d FROM n",
    "SELECT v, lag(v) IGNORE NULLS OVER (ORDER BY v) AS p FROM n WHERE v < 4",
    "SELECT v, last_value(g) IGNORE NULLS OVER (ORDER BY v) AS p FROM n WHERE v < 4",
    "SELECT v, sum(v) OVER (ORDER BY v ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM n WHERE v < 5",
    "SELECT v, sum(v) FILTER (WHERE g = 1) OVER (ORDER BY v) AS s FROM n WHERE v < 9",
    "SELECT v, g FROM n WHERE v < 4 UNION BY NAME SELECT g, v FROM n WHERE v < 3",
    "SELECT k1.k FROM k1 LEFT SEMI JOIN k2 ON k1.k = k2.k",
    "SELECT k1.k FROM k1 LEFT ANTI JOIN k2 ON k1.k = k2.k",
]

NAMES = [
    "SELECT 1, 1",
    "SELECT count(*), count(*) FROM n",
    "SELECT v, v FROM n WHERE v < 3",
    "SELECT v AS x, g AS x FROM n WHERE v < 3",
    "SELECT *, v FROM n WHERE v < 3",
    "SELECT *, v AS g FROM n WHERE v < 3",
    "SELECT sum(v) AS v FROM n GROUP BY g ORDER BY sum(v)",
    "SELECT g, sum(v) AS v FROM n GROUP BY g HAVING sum(v) > 100000 ORDER BY sum(v) DESC",
    "SELECT g, sum(v) AS v FROM n GROUP BY g ORDER BY v",
    "SELECT n.v, a.id, n.v FROM n JOIN a ON n.v = a.id",
    "SELECT a.id, b.id FROM a JOIN b ON a.id = b.id",
    "SELECT 1 AS x, 2 AS x UNION ALL SELECT 3, 4",
    "SELECT v, v FROM n WHERE v < 5 ORDER BY v LIMIT 2",
    "SELECT v AS x, v AS x FROM n WHERE v < 5 ORDER BY x LIMIT 2",
    "SELECT DISTINCT g, g FROM n",
]

VOLATILE = "SELECT v, g, random() AS r FROM n"

# One value each, and what holds of it if what changes with each call is computed once.
COMPUTED_ONCE = [
    (f"SELECT max(r) AS m FROM ({VOLATILE}) x WHERE r < 0.1", lambda value: value < 0.1),
    (f"SELECT min(r) AS m FROM ({VOLATILE}) x WHERE r > 0.9 AND v > 10", lambda value: value > 0.9),
    (f"SELECT count(*) AS c FROM (SELECT r AS p, r AS q FROM ({VOLATILE}) x) y WHERE p <> q", lambda value: value == 0),
    (f"SELECT count(*) AS c FROM (SELECT r + 0 AS p, r AS q FROM ({VOLATILE}) x) y WHERE p <> q", lambda value: value == 0),
    ("SELECT count(*) AS c FROM (SELECT u AS p, u AS q FROM (SELECT uuid() AS u FROM n) x) y WHERE p <> q", lambda value: value == 0),
    ("SELECT count(DISTINCT u) AS c FROM (SELECT uuid() AS u FROM n) x", lambda value: value == 1000),
    (f"SELECT max(x.r) AS m FROM ({VOLATILE}) x JOIN a ON x.r < a.id / 40", lambda value: value < 0.1),
    (f"SELECT max(x.r) AS m FROM ({VOLATILE}) x JOIN a ON x.v = a.id WHERE x.r < 0.99", lambda value: value is None or value < 0.99),
    (f"SELECT max(r) AS m FROM (SELECT * FROM ({VOLATILE}) x WHERE r < 0.5 UNION ALL SELECT v, g, 0.2 FROM n) y WHERE r < 0.3", lambda value: value < 0.3),
    ("SELECT count(*) AS c FROM (SELECT s['a'] AS p, s['a'] AS q FROM (SELECT named_struct('a', random()) AS s FROM n) x) y WHERE p <> q", lambda value: value == 0),
    ("SELECT sum(c) AS s FROM (SELECT floor(random() * 3) AS k, count(*) AS c FROM n GROUP BY 1) x WHERE k < 3", lambda value: value == 1000),
    (f"SELECT count(*) AS c FROM (SELECT r FROM ({VOLATILE}) x ORDER BY r LIMIT 900) y WHERE r < 0.5", lambda value: 400 < value < 600),
    (f"SELECT max(r) AS m FROM (SELECT max(r) AS r, g FROM ({VOLATILE}) x GROUP BY g HAVING max(r) < 2) y", lambda value: value < 1),
]

# The same in the words of DuckDB, where it has others.
FOR_DUCKDB = {
    "GROUP BY g WITH ROLLUP": "GROUP BY ROLLUP (g)",
    "GROUP BY g, v % 2 WITH ROLLUP": "GROUP BY ROLLUP (g, v % 2)",
    "GROUP BY g, v % 2 WITH CUBE": "GROUP BY CUBE (g, v % 2)",
    "GROUP BY 1 WITH ROLLUP": "GROUP BY ROLLUP (1)",
    "lag(v) IGNORE NULLS": "lag(v IGNORE NULLS)",
    "last_value(g) IGNORE NULLS": "last_value(g IGNORE NULLS)",
    "LEFT SEMI": "SEMI",
    "LEFT ANTI": "ANTI",
}


def for_duckdb(sql: str) -> str:
    for ours, theirs in FOR_DUCKDB.items():
        sql = sql.replace(ours, theirs)
    return sql
