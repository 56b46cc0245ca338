//! The five questions of `convoke demo`, which `benches/end_to_end.rs` asks of DuckDB, too.

use crate::shop::Shop;

/// One question of a marketer and the statement that answers it.
pub struct Question {
    pub text: &'static str,
    pub statement: String,
}

/// The five questions, each with what it asks in a marketer's words.
pub fn questions(shop: &Shop) -> Vec<Question> {
    let user = shop.example_user_id().unwrap_or_default();
    let questions = [
        (
            "How large is the base, and how much of it do we know?",
            "SELECT count(*) AS persons, count(*) FILTER (WHERE known) AS known,\n       \
             count(*) FILTER (WHERE NOT known) AS anonymous, sum(identifier_count) AS identifiers\nFROM persons"
                .to_owned(),
        ),
        (
            "What does each brand bring, month by month, after refunds?",
            "SELECT date_trunc('month', day)::DATE AS month, brand, count(*) AS orders, sum(net) AS net_revenue\n\
             FROM orders WHERE day >= DATE '2024-07-01' GROUP BY 1, 2 ORDER BY 1, 2"
                .to_owned(),
        ),
        (
            "How many of our buyers came only once?",
            "SELECT count(*) AS buyers, count(*) FILTER (WHERE orders = 1) AS one_time,\n       \
             round(100.0 * count(*) FILTER (WHERE orders = 1) / count(*), 1) AS percent\n\
             FROM (SELECT person, count(*) AS orders FROM orders WHERE person IS NOT NULL GROUP BY person)"
                .to_owned(),
        ),
        (
            "What do they buy?",
            "SELECT category[1] AS department, category[2] AS category, sum(quantity) AS pieces, sum(amount) AS revenue\n\
             FROM order_items GROUP BY 1, 2 ORDER BY revenue DESC LIMIT 8"
                .to_owned(),
        ),
        (
            "What did one person do, under all of their identifiers?",
            format!(
                "SELECT ts, type, event, source, order_id, revenue\n\
                 FROM person_timeline('user_id', '{user}') ORDER BY ts LIMIT 12"
            ),
        ),
    ];
    questions.map(|(text, statement)| Question { text, statement }).into()
}
