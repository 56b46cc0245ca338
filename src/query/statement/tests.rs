use datafusion::sql::sqlparser::ast::{SelectItem, SetExpr};

use super::*;

fn parameters(sql: &str) -> usize {
    match parse(sql).unwrap() {
        Parsed::Query { parameters, .. } => parameters,
        other => panic!("{other:?}"),
    }
}

fn refusal(sql: &str) -> String {
    parse(sql).unwrap_err().to_string()
}

#[test]
fn question_marks_are_numbered_outside_of_text_and_comments() {
    assert_eq!(parameters("SELECT ? + ?, '?' -- ?\n"), 2);
    assert_eq!(parameters("SELECT $2, $1, $2"), 2);
    let Parsed::Query { written, .. } = parse("SELECT ?, ?").unwrap() else { panic!() };
    assert_eq!(written.statement.to_string(), "SELECT $1, $2");
}

#[test]
fn a_mix_of_marks_is_refused() {
    assert!(refusal("SELECT ?, $1").contains("not both"));
    assert!(refusal("SELECT $name").contains("written ? or $1"));
}

#[test]
fn statements_that_touch_files_or_settings_are_refused() {
    for sql in [
        "COPY (SELECT 1) TO 'x.csv'",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "EXPLAIN COPY (SELECT 1) TO 'x.csv'",
        "DROP TABLE a, b",
        "DROP VIEW v",
        "EXPLAIN INSERT INTO t VALUES (1)",
        "EXPLAIN ANALYZE DELETE FROM t",
        "UPDATE events SET ts = 1",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
        "ALTER TABLE t ADD COLUMN x INT",
        "TRUNCATE TABLE events",
        "CREATE FUNCTION f() RETURN 1",
        "PREPARE p AS SELECT 1",
        "SET datafusion.execution.batch_size = 1",
        "SET datafusion.runtime.memory_limit = '1G'",
        "RESET datafusion.execution.batch_size",
        "SHOW ALL",
    ] {
        let message = refusal(sql);
        assert!(
            ["is not a statement of this server", "SET TIME ZONE", "EXPLAIN"].iter().any(|said| message.contains(said)),
            "{sql}: {message}"
        );
    }
}

#[test]
fn one_statement_at_a_time() {
    assert!(refusal("SELECT 1; SELECT 2").contains("one statement"));
    assert!(refusal("  -- nothing").contains("empty"));
    assert!(parse("SELECT 1;").is_ok());
}

#[test]
fn the_time_zone_may_be_set() {
    for sql in ["SET TIME ZONE 'Asia/Shanghai'", "SET timezone = 'Asia/Shanghai'", "set time zone 'Asia/Shanghai'"] {
        match parse(sql).unwrap() {
            Parsed::SetTimeZone(name) => assert_eq!(name, "Asia/Shanghai", "{sql}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let sql = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    assert!(parse(&sql).is_err());
}

/// An expression with all of its parentheses.
fn shape(expression: &Expr) -> String {
    match expression {
        Expr::BinaryOp { left, op, right } => format!("({} {op} {})", shape(left), shape(right)),
        Expr::Like { expr, pattern, .. } => format!("({} LIKE {})", shape(expr), shape(pattern)),
        Expr::IsNull(inner) => format!("({} IS NULL)", shape(inner)),
        Expr::Cast { expr, data_type, .. } => format!("({}::{data_type})", shape(expr)),
        other => other.to_string(),
    }
}

/// The shape of the one expression that a statement selects.
fn first_shape(expression: &str) -> String {
    let Parsed::Query { written, .. } = parse(&format!("SELECT {expression}")).unwrap() else { panic!() };
    let DfStatement::Statement(inner) = written.statement else { panic!() };
    let Statement::Query(query) = *inner else { panic!() };
    let SetExpr::Select(select) = *query.body else { panic!() };
    let SelectItem::UnnamedExpr(parsed) = &select.projection[0] else { panic!() };
    shape(parsed)
}

/// Expected shapes by PostgreSQL's table of operator precedence.
#[test]
fn json_operators_bind_more_tightly_than_comparisons() {
    for (expression, expected) in [
        ("a ->> 'k' = 'x'", "((a ->> 'k') = 'x')"),
        ("a ->> 'k' LIKE 'x'", "((a ->> 'k') LIKE 'x')"),
        ("a ->> 'k' || 'x'", "((a ->> 'k') || 'x')"),
        ("a -> 'b' ->> 'c'", "((a -> 'b') ->> 'c')"),
        ("a ->> 'k' IS NULL", "((a ->> 'k') IS NULL)"),
        ("a ->> 'k'::TEXT", "(a ->> ('k'::TEXT))"),
        ("a ->> 'k' > 'b' AND c", "(((a ->> 'k') > 'b') AND c)"),
    ] {
        assert_eq!(first_shape(expression), expected);
    }
}

/// Paths as PostgreSQL reads the text of an array.
#[test]
fn a_path_is_written_step_by_step() {
    for (expression, expected) in [
        ("a #>> '{b,c}'", "((a -> 'b') ->> 'c')"),
        ("a #> '{b,0}'", "((a -> 'b') -> '0')"),
        ("a #>> '{b}' = 'x'", "((a ->> 'b') = 'x')"),
        ("a #>> ' { b , \"c \\\"d\", e\\,f } '", "(((a -> 'b') -> 'c \"d') ->> 'e,f')"),
        ("a #>> ARRAY['b', 0]", "((a -> 'b') ->> 0)"),
        ("a #>> '{b}'::TEXT[]", "(a ->> 'b')"),
        ("a #> '{b}' #>> '{0}'", "((a -> 'b') ->> '0')"),
        ("a #>> '{}'", "json_as_text(a)"),
        ("a #>> ARRAY[b]", "(a #>> ARRAY[b])"),
    ] {
        assert_eq!(first_shape(expression), expected);
    }
    for path in ["'b'", "'{b'", "'{b,}'", "'{,b}'", "'{b\"}'", "'{\"b\"c}'", "'{null}'", "'{b}c'", "c", "5"] {
        assert!(refusal(&format!("SELECT a #>> {path}")).contains("is no path"), "{path}");
    }
    assert!(refusal("SELECT a #>> '{0,b}'").contains("write a -> 0 ->> 'b'"));
    let long = vec!["a"; 1_000].join(",");
    assert!(refusal(&format!("SELECT a #>> '{{{long}}}'")).contains("steps"));
}

/// Expected shapes by PostgreSQL's table of operator precedence.
#[test]
fn a_power_binds_more_tightly_than_a_product_and_less_than_a_sign() {
    for (expression, expected) in [
        ("2 * 3 ^ 2", "(2 * (3 ^ 2))"),
        ("2 ^ 3 ^ 2", "((2 ^ 3) ^ 2)"),
        ("-2 ^ 2", "(-2 ^ 2)"),
        ("1 + 2 ^ 2 > 3", "((1 + (2 ^ 2)) > 3)"),
        ("-a * b", "(-a * b)"),
        ("a - -b", "(a - -b)"),
    ] {
        assert_eq!(first_shape(expression), expected);
    }
}

/// Expected shapes by PostgreSQL's table of operator precedence.
#[test]
fn a_concatenation_binds_less_tightly_than_a_sum_and_more_than_a_comparison() {
    for (expression, expected) in [
        ("1 + 2 || 'a'", "((1 + 2) || 'a')"),
        ("'a' || 1 + 2 * 3", "('a' || (1 + (2 * 3)))"),
        ("a || b || c", "((a || b) || c)"),
        ("a || b = c || d", "((a || b) = (c || d))"),
        ("a || b LIKE c", "((a || b) LIKE c)"),
        ("a || b IS NULL AND c", "(((a || b) IS NULL) AND c)"),
        ("a || b ->> 'k'", "(a || (b ->> 'k'))"),
    ] {
        assert_eq!(first_shape(expression), expected);
    }
}

/// A number is DOUBLE with an exponent or with more than 38 digits.
#[test]
fn numbers_beyond_decimals_are_doubles() {
    for (number, expected) in [
        ("1e3", "CAST('1e3' AS DOUBLE PRECISION)"),
        ("1.5E-2", "CAST('1.5E-2' AS DOUBLE PRECISION)"),
        ("0.1", "0.1"),
        ("00000000000000000000000000000000000000001", "00000000000000000000000000000000000000001"),
        (
            "12345678901234567890123456789012345678.9",
            "CAST('12345678901234567890123456789012345678.9' AS DOUBLE PRECISION)",
        ),
    ] {
        assert_eq!(first_shape(&format!("({number})")), format!("({expected})"), "{number}");
    }
}

#[test]
fn a_chain_of_operators_has_an_end() {
    let sql = format!("SELECT 1{}", " + 1".repeat(20_000));
    assert!(refusal(&sql).contains("operators"));
    assert!(parse(&format!("SELECT 1{}", " + 1".repeat(1_000))).is_ok());
}

/// Each field of `Words`, by what is written.
#[test]
fn the_words_tell_what_to_look_for() {
    let words = |sql: &str| Words::of(&tokenize(sql).unwrap().0);
    let rows = [
        "SELECT 1 WHERE (a, b) = (1, 2)",
        "SELECT 1 WHERE x AND (a, b) IN (SELECT 1, 2)",
        "SELECT (a, b) < (1, 2)",
        "SELECT count(*) FILTER (WHERE (a, b) = (1, 2))",
        "SELECT CASE WHEN (a, b) IS NULL THEN 1 END",
        "SELECT NOT (a, b) = (1, 2)",
        "SELECT ((a, b)) = (1, 2)",
        "SELECT DISTINCT (a, b) = (1, 2)",
        "SELECT ROW(a, b) = ROW(1, 2)",
        "SELECT 1 ORDER BY (a, b) < (1, 2)",
        "SELECT 1 FROM t JOIN u ON (t.a, t.b) = (u.a, u.b)",
    ];
    for sql in rows {
        assert!(words(sql).rows, "{sql}");
    }
    let others = [
        "SELECT f(a, b), coalesce(a, b) FROM (SELECT a, b FROM t) x WHERE a IN (1, 2) AND b = (SELECT a, b)",
        "WITH t(a, b) AS (SELECT 1, 2) SELECT sum(a) OVER (PARTITION BY a, b) FROM t JOIN u USING (a, b)",
    ];
    for sql in others {
        assert!(!words(sql).rows, "{sql}");
    }
    assert!(words("SELECT 1 GROUP BY a WITH ROLLUP").sets && words("SELECT 1 GROUP BY a WITH CUBE").sets);
    assert!(words("SELECT ts AT TIME ZONE 'UTC'").zone && words("SELECT unnest(x)").unnest);
    assert!(words("SELECT a FROM t GROUP BY a").groups && !words("SELECT a FROM t ORDER BY a").groups);
    for sql in [
        "SELECT 1e3",
        "VALUES (1)",
        "SELECT x::INT",
        "SELECT TRY_CAST(x AS INT)",
        "SELECT INTERVAL '1 day'",
        "SELECT DISTINCT ON (a) a",
    ] {
        assert!(words(sql).literals, "{sql}");
    }
    assert!(!words("SELECT DISTINCT 1.5 FROM t JOIN u ON true").literals);
    assert!(
        words("(SELECT 1) ORDER BY 1").sorted_parentheses && !words("SELECT f(x) + 1 ORDER BY 1").sorted_parentheses
    );
    assert!(
        words("SELECT 1 FROM t NATURAL JOIN u").shared_keys && words("SELECT 1 FROM t JOIN u USING (k)").shared_keys
    );
    assert!(
        words("SELECT 1 HAVING x").sorts && words("SELECT 1 ORDER BY x").sorts && words("SELECT 1 QUALIFY x").sorts
    );
    assert!(words("SELECT x #>> '{a}'").json_paths && words("SELECT x #> '{a}'").json_paths);
    assert!(!words("SELECT x ->> 'a'").json_paths && words("SELECT * REPLACE (1 AS a) FROM t").replaces);
    for sql in ["SELECT * REPLACE (1 AS a) FROM t", "SELECT * EXCLUDE (a) FROM t", "SELECT * EXCEPT (a) FROM t"] {
        assert!(words(sql).star_options, "{sql}");
    }
    assert!(words("WITH t AS (SELECT 1) SELECT 1").with && !words("SELECT 1, 'WITH', \"order\" -- USING\n").with);
}
