//! What the log says of a data file: its row count, null counts, and bounds of the columns that may have them.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, FieldRef, Int64Type, SchemaRef};
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta};
use serde_json::{Map, Value, json};

use super::actions::MAXIMUM_SLACK_MICROS;

/// Gathered batch by batch while a file is written.
pub struct FileStatistics {
    columns: SchemaRef,
    rows: u64,
    /// `None` for nested columns.
    null_counts: Vec<Option<u64>>,
    /// Days of dates, microseconds of instants.
    bounds: Vec<Option<(i64, i64)>>,
    /// Columns whose bounds may stand in the log.
    bounded: Vec<bool>,
}

impl FileStatistics {
    /// `may_bound` tells of a column by name whether its smallest and largest values may be published.
    pub fn new(columns: SchemaRef, may_bound: impl Fn(&str) -> bool) -> Self {
        let plain = |field: &FieldRef| (!field.data_type().is_nested()).then_some(0);
        Self {
            rows: 0,
            null_counts: columns.fields().iter().map(plain).collect(),
            bounds: vec![None; columns.fields().len()],
            bounded: columns
                .fields()
                .iter()
                .map(|field| may_bound(field.name()) && has_order(field.data_type()))
                .collect(),
            columns,
        }
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn columns(&self) -> &SchemaRef {
        &self.columns
    }

    /// Takes rows of exactly these columns.
    pub fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for (index, column) in batch.columns().iter().enumerate() {
            self.add_column(index, column);
        }
    }

    /// Takes rows as they stand in a file: a column that is not there is NULL.
    pub(super) fn add_by_name(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        let columns = Arc::clone(&self.columns);
        for (index, field) in columns.fields().iter().enumerate() {
            match batch.column_by_name(field.name()) {
                Some(column) => self.add_column(index, column),
                None => self.add_nulls(index, batch.num_rows()),
            }
        }
    }

    fn add_nulls(&mut self, index: usize, count: usize) {
        if let Some(nulls) = self.null_counts.get_mut(index).and_then(Option::as_mut) {
            *nulls += count as u64;
        }
    }

    fn add_column(&mut self, index: usize, column: &dyn Array) {
        self.add_nulls(index, column.null_count());
        if !self.bounded[index] {
            return;
        }
        let Some((low, high)) = bounds(column) else { return };
        let held = self.bounds[index].get_or_insert((low, high));
        *held = (held.0.min(low), held.1.max(high));
    }

    /// By column; `None` for nested ones.
    pub fn null_counts(&self) -> &[Option<u64>] {
        &self.null_counts
    }

    /// By column, exactly; `None` for those that may have none.
    pub(super) fn bounds(&self) -> &[Option<(i64, i64)>] {
        &self.bounds
    }

    pub(super) fn bounds_of(&self, column: &str) -> Option<(i64, i64)> {
        self.bounds[self.columns.index_of(column).ok()?]
    }

    /// By column, as a reader of the log gets them: see [`super::actions`].
    pub fn bounds_in_log(&self) -> Vec<Option<(i64, i64)>> {
        let of_column = |(bounds, field): (&Option<(i64, i64)>, &FieldRef)| {
            let (low, high) = (*bounds)?;
            // What cannot be written is not read, either.
            bound_text(field.data_type(), low, false)?;
            bound_text(field.data_type(), high, true)?;
            Some(match field.data_type() {
                DataType::Timestamp(..) => {
                    let millis = |value: i64| value.div_euclid(1_000);
                    let top = millis(high) + i64::from(high.rem_euclid(1_000) != 0);
                    (millis(low) * 1_000, (top * 1_000).saturating_add(MAXIMUM_SLACK_MICROS))
                }
                _ => (low, high),
            })
        };
        self.bounds.iter().zip(self.columns.fields()).map(of_column).collect()
    }

    /// The `stats` text of an add action.
    pub fn to_json(&self) -> String {
        let columns = || self.columns.fields().iter().enumerate();
        let bound = |high: bool| -> Map<String, Value> {
            columns()
                .filter_map(|(index, field)| {
                    let (low, top) = self.bounds[index]?;
                    let value = bound_text(field.data_type(), if high { top } else { low }, high)?;
                    Some((field.name().clone(), value))
                })
                .collect()
        };
        let nulls: Map<String, Value> = columns()
            .filter_map(|(index, field)| Some((field.name().clone(), json!(self.null_counts[index]?))))
            .collect();
        json!({
            "numRecords": self.rows,
            "minValues": bound(false),
            "maxValues": bound(true),
            "nullCount": nulls,
        })
        .to_string()
    }
}

fn has_order(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Date32
            | DataType::Timestamp(..)
    )
}

fn bounds(column: &dyn Array) -> Option<(i64, i64)> {
    let numbers = match column.data_type() {
        DataType::Date32 => cast(&cast(column, &DataType::Int32).ok()?, &DataType::Int64).ok()?,
        _ => cast(column, &DataType::Int64).ok()?,
    };
    let numbers = numbers.as_primitive_opt::<Int64Type>()?;
    Some((min(numbers)?, max(numbers)?))
}

/// Numbers as they are; instants as milliseconds, minima cut down and maxima rounded up so that they stay bounds.
/// `None` for years that are not of four digits, as RFC 3339 has them: readers take others for other days.
fn bound_text(data_type: &DataType, value: i64, high: bool) -> Option<Value> {
    match data_type {
        DataType::Timestamp(..) => {
            let rounded_up = i64::from(high && value.rem_euclid(1_000) != 0);
            let instant = DateTime::from_timestamp_millis(value.div_euclid(1_000) + rounded_up)?;
            has_four_digits(&instant).then(|| json!(instant.to_rfc3339_opts(SecondsFormat::Millis, true)))
        }
        DataType::Date32 => {
            let day = NaiveDate::default().checked_add_signed(TimeDelta::try_days(value)?)?;
            has_four_digits(&day).then(|| json!(day.format("%Y-%m-%d").to_string()))
        }
        _ => Some(json!(value)),
    }
}

fn has_four_digits(day: &impl Datelike) -> bool {
    (0..=9_999).contains(&day.year())
}
