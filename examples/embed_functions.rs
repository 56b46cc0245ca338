//! The functions in any DataFusion program: who came by which channel, as bitmaps. No server, no folder of data.
//!
//! Run with `cargo run --release --example embed_functions`.

// Printing is what an example is for.
#![allow(clippy::print_stdout)]

use datafusion::prelude::SessionContext;

const VISITS: &str = "CREATE TABLE visits AS SELECT * FROM (VALUES
    ('app', 1), ('app', 2), ('app', 3), ('app', 70000), ('store', 2), ('store', 3), ('store', 4), ('web', 3), ('web', 9)
) AS t(channel, person)";

/// One set of persons a channel; NULL rows would be skipped.
const SETS: &str = "CREATE TABLE channels AS
    SELECT channel, bitmap_agg(person) AS members FROM visits GROUP BY channel";

/// Each pair of channels: how many came by both, who came only by the first.
const PAIRS: &str = "SELECT a.channel AS first, b.channel AS second,
        bitmap_and_count(a.members, b.members) AS both,
        bitmap_to_string(bitmap_andnot(a.members, b.members)) AS only_first
    FROM channels a, channels b WHERE a.channel < b.channel ORDER BY first, second";

/// Over all channels at once.
const ALL: &str = "SELECT bitmap_union_count(members) AS anywhere,
        bitmap_to_string(bitmap_intersect(members)) AS everywhere,
        intersect_count(members, channel, 'app', 'web') AS app_and_web
    FROM channels";

/// A set as rows, a batch at a time.
const ROWS: &str = "SELECT person FROM unnest_bitmap((SELECT bitmap_xor_agg(members) FROM channels))";

#[tokio::main]
async fn main() -> datafusion::error::Result<()> {
    let mut context = SessionContext::new();
    convoke_udfs::register_all(&mut context)?;
    for (name, function) in convoke_udfs::table_functions() {
        context.register_udtf(name, function);
    }
    for sql in [VISITS, SETS] {
        context.sql(sql).await?.collect().await?;
    }
    for sql in [PAIRS, ALL, ROWS] {
        println!("{}", context.sql(sql).await?.to_string().await?);
    }
    Ok(())
}
