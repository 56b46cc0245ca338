//! The questions, in the words of each engine. `{events}` stands for the table or the files.

use super::history::START;

/// One question; `goal` is the most that ours may take, as a share of the time of the rival named.
pub struct Question {
    pub name: &'static str,
    pub ours: String,
    pub duckdb: String,
    pub chdb: String,
    pub goal: f64,
}

const WEEK: i64 = 7 * 86_400;
/// 2026-01-01, from which days are counted back.
const AS_OF: i64 = START + 731 * 86_400;
/// Periods of four weeks after the first.
const PERIODS: i64 = 12;

pub fn all() -> Vec<Question> {
    vec![funnel(), retention(), cohorts(), quintiles()]
}

/// How many persons reach which step within 7 days, by brand.
fn funnel() -> Question {
    let ours = "
        SELECT brand, level, count(*) FROM (
            SELECT brand, window_funnel(INTERVAL '7 days', ts, event = 'page_view', event = 'add_to_cart',
                                        event = 'order_completed') AS level
            FROM {events} WHERE event IN ('page_view', 'add_to_cart', 'order_completed') GROUP BY person, brand)
        GROUP BY brand, level ORDER BY brand, level";
    let chdb = ours.replace("window_funnel(INTERVAL '7 days', ts", "windowFunnel(604800)(ts");
    // The latest page view before a cart is the best one to begin with, and so on: two windows suffice.
    let duckdb = "
        WITH viewed AS (
            SELECT person, brand, ts, event, max(ts) FILTER (event = 'page_view')
                OVER (PARTITION BY person, brand ORDER BY ts RANGE UNBOUNDED PRECEDING) AS began
            FROM {events} WHERE event IN ('page_view', 'add_to_cart', 'order_completed')),
        carted AS (
            SELECT person, brand, ts, event, began, max(began)
                FILTER (event = 'add_to_cart' AND ts <= began + INTERVAL 7 DAYS)
                OVER (PARTITION BY person, brand ORDER BY ts RANGE UNBOUNDED PRECEDING) AS began_cart
            FROM viewed),
        reached AS (
            SELECT brand, max(CASE WHEN event = 'order_completed' AND ts <= began_cart + INTERVAL 7 DAYS THEN 3
                                   WHEN began_cart IS NOT NULL THEN 2 WHEN began IS NOT NULL THEN 1 ELSE 0 END) AS level
            FROM carted GROUP BY person, brand)
        SELECT brand, level, count(*) FROM reached GROUP BY brand, level ORDER BY brand, level";
    Question {
        name: "funnel of three steps by person and brand",
        ours: ours.into(),
        duckdb: duckdb.into(),
        chdb,
        goal: 1.0 / 3.0,
    }
}

/// Number of the period of an event, in each engine's arithmetic: ours, DuckDB's, ClickHouse's.
fn period(seconds: i64) -> [String; 3] {
    [
        format!("(CAST(ts AS BIGINT) / 1000000 - {START}) / {seconds}"),
        format!("(epoch_us(ts) // 1000000 - {START}) // {seconds}"),
        format!("intDiv(toUInt32(ts) - {START}, {seconds})"),
    ]
}

/// Of the persons of the first four weeks, how many come back in each of the next periods.
fn retention() -> Question {
    let conditions = |equals: &str| {
        let all: Vec<String> = (0..=PERIODS).map(|number| format!("period {equals} {number}")).collect();
        all.join(", ")
    };
    let [ours, duckdb, chdb] = period(4 * WEEK);
    let counts = |count: &str| {
        let all: Vec<String> = (1..=PERIODS + 1).map(|place| count.replace("{}", &place.to_string())).collect();
        all.join(", ")
    };
    let with = |function: &str, period: &str, count: &str| {
        format!(
            "SELECT {} FROM (SELECT {function}({}) AS kept FROM (SELECT person, {period} AS period FROM {{events}}) AS timed
             WHERE period <= {PERIODS} GROUP BY person) AS persons",
            counts(count),
            conditions("=")
        )
    };
    let bools: Vec<String> = (0..=PERIODS).map(|number| format!("bool_or(period = {number}) AS k{number}")).collect();
    let sums: Vec<String> = (0..=PERIODS).map(|number| format!("count(*) FILTER (k0 AND k{number})")).collect();
    let duckdb = format!(
        "SELECT {} FROM (SELECT {} FROM (SELECT person, {duckdb} AS period FROM {{events}}) WHERE period <= {PERIODS} GROUP BY person)",
        sums.join(", "),
        bools.join(", ")
    );
    Question {
        name: "retention of one cohort over 12 periods",
        ours: with("retention", &ours, "count(*) FILTER (WHERE kept[{}])"),
        duckdb,
        chdb: with("retention", &chdb, "countIf(kept[{}])"),
        goal: 0.5,
    }
}

/// Persons by the week of their first event, and how many of them are active in each of the 12 weeks after.
fn cohorts() -> Question {
    let [ours, duckdb, chdb] = period(WEEK);
    // One pass over the events: a common table expression that is named twice would be computed twice. Every week has
    // events, so that the k-th row after a week is the k-th week after it.
    let later: Vec<String> = (1..=12)
        .map(|weeks| format!("bitmap_and_count(newcomers, lead(persons, {weeks}) OVER (ORDER BY week))"))
        .collect();
    let ours = format!(
        "WITH weeks AS (SELECT {ours} AS week, bitmap_agg(person) AS persons FROM {{events}} GROUP BY 1),
        cohorts AS (SELECT week, persons, bitmap_andnot(persons, coalesce(bitmap_union(persons) OVER (
            ORDER BY week ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), bitmap_empty())) AS newcomers FROM weeks),
        counted AS (SELECT week, [bitmap_count(newcomers), {}] AS counts FROM cohorts)
        SELECT * FROM (SELECT week AS cohort, unnest(range(0, 13)) AS later, unnest(counts) AS persons FROM counted)
        WHERE persons > 0 ORDER BY 1, 2",
        later.join(", ")
    );
    let duckdb = format!(
        "WITH active AS (SELECT DISTINCT person, {duckdb} AS week FROM {{events}}),
        first AS (SELECT person, min(week) AS cohort FROM active GROUP BY person)
        SELECT cohort, week - cohort AS later, count(*) FROM active JOIN first USING (person)
        WHERE week - cohort <= 12 GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let chdb = format!(
        "SELECT arrayMin(weeks) AS cohort, arrayJoin(weeks) - cohort AS later, count() FROM (
            SELECT groupUniqArray({chdb}) AS weeks FROM {{events}} GROUP BY person)
        WHERE later <= 12 GROUP BY cohort, later ORDER BY cohort, later"
    );
    Question { name: "weekly cohorts, 12 weeks", ours, duckdb, chdb, goal: 0.5 }
}

/// Quintiles of recency, frequency and spend of all who ordered; equal values share a score.
fn quintiles() -> Question {
    let scores = |score: &dyn Fn(&str, bool) -> String| {
        format!("{} AS r, {} AS f, {} AS m", score("days", false), score("orders", true), score("spend", true))
    };
    let persons = |last: &str, amount: &str| {
        format!(
            "SELECT person, ({AS_OF} - {last}) AS days, count(*) AS orders, {amount} AS spend
             FROM {{events}} WHERE event = 'order_completed' GROUP BY person"
        )
    };
    let whole = |scores: &str, source: &str| {
        format!(
            "SELECT r, f, m, count(*) FROM (SELECT {scores} FROM {source}) AS scored GROUP BY r, f, m ORDER BY r, f, m"
        )
    };
    let ours = scores(&|value, higher| {
        let direction = if higher { "higher" } else { "lower" };
        format!("rfm_score({value}, rfm_breaks({value}, 5) OVER (), '{direction}')")
    });
    let ours_persons = persons("CAST(max(ts) AS BIGINT) / 1000000", "sum(amount)");
    // One more than the breaks below a value; the other way round for recency.
    let theirs = scores(&|value, higher| {
        let below: Vec<String> = (1..=4).map(|place| format!("CAST({value} > b_{value}[{place}] AS INT)")).collect();
        let below = below.join(" + ");
        if higher { format!("{below} + 1") } else { format!("5 - ({below})") }
    });
    let breaks = |quantiles: &dyn Fn(&str) -> String| {
        let all: Vec<String> =
            ["days", "orders", "spend"].iter().map(|value| format!("{} AS b_{value}", quantiles(value))).collect();
        all.join(", ")
    };
    let duckdb_breaks = breaks(&|value| format!("quantile_disc({value}, [0.2, 0.4, 0.6, 0.8])"));
    let duckdb = format!(
        "WITH persons AS MATERIALIZED ({}), breaks AS (SELECT {duckdb_breaks} FROM persons) {}",
        persons("epoch_us(max(ts)) // 1000000", "sum(amount)"),
        whole(&theirs, "persons, breaks")
    );
    // Its quantiles take the element after where the share of rows is whole.
    let chdb_breaks =
        breaks(&|value| format!("quantilesExact(0.1999999999, 0.3999999999, 0.5999999999, 0.7999999999)({value})"));
    let chdb = format!(
        "WITH persons AS ({}) {}",
        persons("toUInt32(max(ts))", "sum(amount)"),
        whole(&theirs, &format!("persons CROSS JOIN (SELECT {chdb_breaks} FROM persons) AS breaks"))
    );
    Question {
        name: "RFM quintiles",
        ours: whole(&ours, &format!("({ours_persons}) AS persons")),
        duckdb,
        chdb,
        goal: 0.5,
    }
}
