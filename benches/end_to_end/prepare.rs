//! What planning costs: Prepare with all rules of the engine beside DataFusion's planner and analyzer alone, over tables of
//! the same columns. The difference is what the rules add, with what Prepare does besides (the session, the parameters).

use std::sync::Arc;
use std::time::Instant;

use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::context::SessionContext;
use datafusion::prelude::SessionConfig;

use super::instance::Instance;
use super::samples::median;

/// Statements of growing size, which both sides plan.
const STATEMENTS: [(&str, &str); 4] = [
    (
        "grouped",
        "SELECT type, count(*) AS events FROM events WHERE ts >= TIMESTAMP '2024-07-01' GROUP BY type ORDER BY 2 DESC",
    ),
    (
        "joined, with NOT IN",
        "WITH first AS (SELECT person, min(ts) AS ts FROM events GROUP BY person) \
         SELECT o.brand, count(*) AS orders FROM orders AS o JOIN first AS f ON o.person = f.person \
         WHERE o.order_id NOT IN (SELECT order_id FROM order_items WHERE quantity > 3) \
         GROUP BY o.brand HAVING count(*) > 1",
    ),
    (
        "correlated",
        "SELECT p.person FROM persons AS p \
         WHERE EXISTS (SELECT 1 FROM orders AS o WHERE o.person = p.person AND o.net > 100) \
         AND NOT EXISTS (SELECT 1 FROM events AS e WHERE e.person = p.person AND e.source = 'shop')",
    ),
    (
        "windows and choices",
        "SELECT person, CASE WHEN net > 100 THEN 'high' WHEN net > 10 THEN 'middle' ELSE 'low' END AS class, \
         row_number() OVER (PARTITION BY person ORDER BY day) AS nth, net / nullif(quantity, 0) AS price \
         FROM (SELECT o.person, o.day, o.net, i.quantity FROM orders AS o JOIN order_items AS i ON o.order_id = i.order_id) AS s \
         WHERE net BETWEEN 1 AND 100000 AND person IS NOT NULL ORDER BY person, nth",
    ),
];

const ROUNDS: usize = 400;

pub async fn measure(instance: &Instance) -> anyhow::Result<()> {
    let rival = same_tables(instance).await?;
    println!("| Prepare (median of {ROUNDS}, in turns) | Convoke, us | DataFusion alone, us | added, us | ratio |");
    println!("|---|---|---|---|---|");
    for (name, statement) in STATEMENTS {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            // Another text each time, or the plan would be known.
            let text = format!("{statement} -- {round}");
            let start = Instant::now();
            instance.prepare(&text).await?;
            ours.push(start.elapsed().as_secs_f64() * 1e6);
            let start = Instant::now();
            let state = rival.state();
            let plan = state.create_logical_plan(&text).await?;
            let analyzed = state.analyzer().execute_and_check(plan.clone(), state.config_options(), |_, _| {})?;
            theirs.push(start.elapsed().as_secs_f64() * 1e6);
            std::hint::black_box((plan, analyzed));
        }
        let (ours, theirs) = (median(&ours), median(&theirs));
        println!("| {name} | {ours:.0} | {theirs:.0} | {:.0} | {:.2} |", ours - theirs, ours / theirs);
    }
    println!();
    Ok(())
}

/// DataFusion as it comes, with empty tables of the columns of ours.
async fn same_tables(instance: &Instance) -> anyhow::Result<SessionContext> {
    let context = SessionContext::new_with_config(SessionConfig::new());
    for table in instance.tables().await?.into_iter().filter(|table| table.schema == "main") {
        context.register_table(table.name.as_str(), Arc::new(EmptyTable::new(table.columns)))?;
    }
    Ok(context)
}
