//! Two years of events of many persons, made from a seed and kept in the user's cache as Parquet files: once in the order
//! of time, one file a month, and once in the order of (person, ts).
//!
//! A person's share of the events falls with the square root of the rank. Times are whole seconds, which every rival's own
//! time type holds.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;

use super::dice::Dice;

/// Changes with what is generated.
const GENERATION: u32 = 2;
const EVENTS_OF_A_PERSON: u64 = 20;
const FILES: usize = 24;
/// 2024-01-01, a Monday, in seconds, and the length of 2024 and 2025.
pub const START: i64 = 1_704_067_200;
const SECONDS: u64 = 731 * 86_400;
const BATCH_ROWS: usize = 65_536;
/// Name and share in percent.
const EVENTS: [(&str, u64); 5] =
    [("page_view", 55), ("product_view", 17), ("add_to_cart", 12), ("order_completed", 10), ("search", 6)];
const BRANDS: [(&str, u64); 4] = [("Aster", 30), ("Birch", 30), ("Cedar", 20), ("Dune", 20)];

/// One event; the derived order is that of (person, ts).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    person: u32,
    second: u32,
    kind: u8,
    brand: u8,
    /// In ten-thousandths; 0 for what is no order.
    amount: u32,
}

/// The files of one number of persons.
pub struct History {
    pub persons: u64,
    pub folder: PathBuf,
}

impl History {
    /// Generates unless that was done before.
    pub fn prepare(cache: &Path, persons: u64) -> anyhow::Result<Self> {
        let folder = cache.join(format!("bench/behaviour-{GENERATION}-{persons}"));
        let history = Self { persons, folder };
        if !history.folder.exists() {
            let making = history.folder.with_extension("making");
            if making.exists() {
                std::fs::remove_dir_all(&making)?;
            }
            history.generate(&making)?;
            std::fs::rename(making, &history.folder)?;
        }
        Ok(history)
    }

    pub fn events(&self) -> u64 {
        self.persons * EVENTS_OF_A_PERSON
    }

    fn generate(&self, folder: &Path) -> anyhow::Result<()> {
        eprintln!("generating {} events", self.events());
        let mut dice = Dice(1);
        let mut events: Vec<Event> = (0..self.events()).map(|row| self.event(row, &mut dice)).collect();
        write(&folder.join("by_time"), &events, |one, other| one.second == other.second, |event| event.second)?;
        events.sort_unstable();
        write(&folder.join("by_person"), &events, |one, other| one.person == other.person, |event| event.person)
    }

    fn event(&self, row: u64, dice: &mut Dice) -> Event {
        let drawn = dice.share();
        let kind = pick(&EVENTS, dice);
        let amount = if EVENTS[kind].0 == "order_completed" { dice.next() % 5_000_000 } else { 0 };
        Event {
            person: ((drawn * drawn * self.persons as f64) as u64).min(self.persons - 1) as u32,
            second: (u128::from(row) * u128::from(SECONDS) / u128::from(self.events())) as u32,
            kind: kind as u8,
            brand: pick(&BRANDS, dice) as u8,
            amount: amount as u32,
        }
    }
}

/// The place of one of the names, each with its share.
fn pick(names: &[(&str, u64)], dice: &mut Dice) -> usize {
    let mut drawn = dice.next() % 100;
    for (place, (_, share)) in names.iter().enumerate() {
        match drawn.checked_sub(*share) {
            None => return place,
            Some(rest) => drawn = rest,
        }
    }
    names.len() - 1
}

/// Writes some files of about equal size. `same` tells neighbours that stay in one file; the name of a file is made from
/// its first event, so that names are in the order of the events.
fn write(
    folder: &Path,
    mut events: &[Event],
    same: fn(&Event, &Event) -> bool,
    name: fn(&Event) -> u32,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let compression = Compression::ZSTD(ZstdLevel::try_new(1)?);
    let rows = events.len().div_ceil(FILES);
    while let Some(first) = events.first() {
        let mut end = rows.min(events.len());
        while end < events.len() && same(&events[end - 1], &events[end]) {
            end += 1;
        }
        let (file, rest) = events.split_at(end);
        events = rest;
        let path = folder.join(format!("{:010}.parquet", name(first)));
        let mut writer: Option<ArrowWriter<File>> = None;
        for events in file.chunks(BATCH_ROWS) {
            let batch = batch(events)?;
            if writer.is_none() {
                let properties = WriterProperties::builder().set_compression(compression).build();
                writer = Some(ArrowWriter::try_new(File::create(&path)?, batch.schema(), Some(properties))?);
            }
            writer.as_mut().context("made above")?.write(&batch)?;
        }
        writer.map(ArrowWriter::close).transpose()?;
    }
    Ok(())
}

fn batch(events: &[Event]) -> anyhow::Result<RecordBatch> {
    let texts = |names: &[(&'static str, u64)], of: fn(&Event) -> u8| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(events.iter().map(|event| names[usize::from(of(event))].0)))
    };
    let times = events.iter().map(|event| (START + i64::from(event.second)) * 1_000_000);
    let amounts = events.iter().map(|event| i128::from(event.amount));
    let columns: [(&str, ArrayRef); 5] = [
        ("person", Arc::new(Int64Array::from_iter_values(events.iter().map(|event| i64::from(event.person))))),
        ("ts", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
        ("event", texts(&EVENTS, |event| event.kind)),
        ("brand", texts(&BRANDS, |event| event.brand)),
        ("amount", Arc::new(Decimal128Array::from_iter_values(amounts).with_precision_and_scale(18, 4)?)),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}
