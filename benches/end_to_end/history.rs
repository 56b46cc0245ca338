//! Two years of a large retailer: twenty events a person, made from a seed, loaded once and kept in the user's cache.
//!
//! Activity is uneven: a person's share falls with the square root of the rank, so the first has thousands of events and
//! half of the persons at most 14. Rows come in the order of time, as they would have been recorded.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{ArrayRef, Decimal128Builder, RecordBatch, StringBuilder, TimestampMicrosecondBuilder};
use arrow::datatypes::DataType;
use parquet::arrow::ArrowWriter;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{export, peer, program};

pub const EVENTS_OF_A_PERSON: u64 = 20;
const MONTHS: u64 = 24;
/// Changes with what is generated or how it is stored, so that no cache of another shape is used.
const GENERATION: u32 = 3;
/// 2023-01-01 in seconds, and the length of 2023 and 2024.
const START: i64 = 1_672_531_200;
const SECONDS: i64 = 731 * 86_400;
const BATCH_ROWS: u64 = 65_536;
const BRANDS: [&str; 4] = ["Aster", "Birch", "Cedar", "Dune"];
const CHANNELS: [&str; 6] = ["web", "app", "mini_program", "store", "marketplace", "call_centre"];

/// The folders of one size.
pub struct History {
    pub persons: u64,
    folder: PathBuf,
}

impl History {
    /// Generates and loads unless that was done before.
    pub fn prepare(persons: u32) -> anyhow::Result<Self> {
        let cache = peer::cache()?;
        let version = env!("CARGO_PKG_VERSION");
        let folder = cache.join(format!("bench/history-{GENERATION}-{version}-{persons}"));
        let history = Self { persons: u64::from(persons.max(1)), folder };
        once(&history.files(), |making| history.generate(making))?;
        once(&history.loaded(), |making| {
            let data = making.to_str().context("the folder's name is not UTF-8")?;
            let files = history.files().join("*.parquet");
            let files = files.to_str().context("the folder's name is not UTF-8")?;
            eprintln!("loading {} events", history.events());
            program::run(["ingest", files, "--data", data]).map(drop)
        })?;
        Ok(history)
    }

    pub fn events(&self) -> u64 {
        self.persons * EVENTS_OF_A_PERSON
    }

    /// Identifiers of `count` persons from the middle of the ranks: neither the busiest nor the quietest.
    pub fn typical_users(&self, count: u64) -> impl Iterator<Item = String> {
        let (from, width) = (self.persons / 4, (self.persons / 2).max(1));
        let step = (width / count.max(1)).max(1);
        (0..count).map(move |at| user(from + at * step % width))
    }

    fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// The data folder as `convoke ingest` left it. Only read.
    pub fn loaded(&self) -> PathBuf {
        self.folder.join("loaded")
    }

    /// A copy of it for `convoke compact`.
    pub fn compacted(&self) -> PathBuf {
        self.folder.join("compacted")
    }

    fn generate(&self, folder: &Path) -> anyhow::Result<()> {
        eprintln!("generating {} events", self.events());
        std::fs::create_dir_all(folder)?;
        for month in 0..MONTHS {
            let mut dice = ChaCha8Rng::seed_from_u64(month);
            let range = self.events() * month / MONTHS..self.events() * (month + 1) / MONTHS;
            let mut writer: Option<ArrowWriter<File>> = None;
            for first in range.clone().step_by(BATCH_ROWS as usize) {
                let batch = self.batch(first..range.end.min(first + BATCH_ROWS), &mut dice)?;
                let writer = match &mut writer {
                    Some(writer) => writer,
                    none => {
                        none.insert(export::writer(&folder.join(format!("month-{month:02}.parquet")), &batch.schema())?)
                    }
                };
                writer.write(&batch)?;
            }
            writer.map(ArrowWriter::close).transpose()?;
        }
        Ok(())
    }

    fn batch(&self, rows: std::ops::Range<u64>, dice: &mut ChaCha8Rng) -> anyhow::Result<RecordBatch> {
        let mut ts = TimestampMicrosecondBuilder::new().with_timezone("UTC");
        let mut revenue = Decimal128Builder::new().with_data_type(DataType::Decimal128(18, 4));
        let mut texts: [StringBuilder; 7] = std::array::from_fn(|_| StringBuilder::new());
        let step = SECONDS as f64 * 1e6 / self.events() as f64;
        for row in rows {
            ts.append_value(START * 1_000_000 + ((row as f64 + share(dice)) * step) as i64);
            let drawn = share(dice);
            let person = ((drawn * drawn * self.persons as f64) as u64).min(self.persons - 1);
            let event = match dice.next_u32() % 20 {
                0..=1 => "Order Completed",
                2..=5 => "Product Added",
                6..=12 => "Product Viewed",
                _ => "Page Viewed",
            };
            let is_order = event == "Order Completed";
            let place = dice.next_u32() as usize;
            revenue.append_option(is_order.then(|| i128::from(dice.next_u32() % 5_000_000)));
            let page = format!("{{\"page\":\"/p/{}\",\"device\":\"{}\"}}", place % 4_000, ["phone", "desk"][place % 2]);
            let values = [
                Some(user(person)),
                Some(event.to_owned()),
                Some(BRANDS[place % 10 * BRANDS.len() / 10].to_owned()),
                Some(CHANNELS[place / 10 % CHANNELS.len()].to_owned()),
                is_order.then(|| format!("o{row:010}")),
                (event != "Page Viewed").then(|| format!("p{:05}", place / 60 % 20_000)),
                Some(page),
            ];
            texts.iter_mut().zip(values).for_each(|(column, value)| column.append_option(value));
        }
        let names = ["user_id", "event", "brand", "channel", "order_id", "product_id", "properties"];
        let texts = names.into_iter().zip(texts.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef));
        let numbers: [(&str, ArrayRef); 2] = [("ts", Arc::new(ts.finish())), ("revenue", Arc::new(revenue.finish()))];
        Ok(RecordBatch::try_from_iter(numbers.into_iter().chain(texts))?)
    }
}

fn user(person: u64) -> String {
    format!("u{person:08}")
}

/// A number in `0.0..1.0`.
fn share(dice: &mut ChaCha8Rng) -> f64 {
    f64::from(dice.next_u32()) / (f64::from(u32::MAX) + 1.0)
}

/// Makes a folder completely or not at all.
fn once(folder: &Path, make: impl FnOnce(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    if folder.exists() {
        return Ok(());
    }
    let making = folder.with_extension("making");
    if making.exists() {
        std::fs::remove_dir_all(&making)?;
    }
    std::fs::create_dir_all(folder.parent().context("a folder of the cache")?)?;
    make(&making)?;
    Ok(std::fs::rename(making, folder)?)
}
