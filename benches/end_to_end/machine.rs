//! Says when, where and on what was measured: figures without that are worth nothing.

use convoke::shop::Shop;

use super::export::Input;

pub fn describe(shop: &Shop, input: &Input) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?;
    let day = chrono::Utc::now().format("%Y-%m-%d");
    println!(
        "{day}, {}, {cores} cores. Synthetic shop of {} persons: {} events, {:.1} MB of Parquet.\n",
        processor(),
        shop.persons,
        input.rows,
        input.bytes as f64 / 1e6
    );
    Ok(())
}

/// Linux tells; elsewhere the architecture has to do.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}
