//! `dates`: one row a calendar day, to join by day and to fill days without rows.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, ListBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef};
use chrono::{Datelike, Days, NaiveDate};
use datafusion::catalog::TableProvider;

use super::rows;
use crate::error::Result;
use crate::workspace::reference::{DayNames, FIRST_YEAR, LAST_YEAR};

fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let number = |name| Field::new(name, DataType::Int64, false);
        let names = DataType::List(Arc::new(Field::new("element", DataType::Utf8, true)));
        Arc::new(Schema::new(vec![
            Field::new("day", DataType::Date32, false),
            number("year"),
            // ISO 8601: the year that the week belongs to.
            number("iso_year"),
            number("quarter"),
            number("month"),
            // ISO 8601: week 1 holds the year's first Thursday, Monday is weekday 1.
            number("week"),
            number("weekday"),
            Field::new("is_weekend", DataType::Boolean, false),
            Field::new("names", names, false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

pub(in crate::query) fn table(names: &Arc<DayNames>) -> Result<Arc<dyn TableProvider>> {
    let names = Arc::clone(names);
    rows::table(schema(), move |_| {
        let names = Arc::clone(&names);
        Box::new((FIRST_YEAR..=LAST_YEAR).map(move |each| year(each, &names)))
    })
}

fn year(year: i32, named: &DayNames) -> Result<RecordBatch> {
    let days: Vec<NaiveDate> = NaiveDate::from_ymd_opt(year, 1, 1)
        .into_iter()
        .flat_map(|first| (0..366).filter_map(move |offset| first.checked_add_days(Days::new(offset))))
        .filter(|day| day.year() == year)
        .collect();
    let numbers =
        |of: &dyn Fn(&NaiveDate) -> i64| Arc::new(days.iter().map(|day| Some(of(day))).collect::<Int64Array>());
    let mut names = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    for day in &days {
        let of_day = named.names.get(&Date32Type::from_naive_date(*day));
        of_day.into_iter().flatten().for_each(|name| names.values().append_value(name));
        names.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(days.iter().map(|day| Some(Date32Type::from_naive_date(*day))).collect::<Date32Array>()),
        numbers(&|day| i64::from(day.year())),
        numbers(&|day| i64::from(day.iso_week().year())),
        numbers(&|day| i64::from(day.month0() / 3 + 1)),
        numbers(&|day| i64::from(day.month())),
        numbers(&|day| i64::from(day.iso_week().week())),
        numbers(&|day| i64::from(day.weekday().number_from_monday())),
        Arc::new(days.iter().map(|day| Some(day.weekday().number_from_monday() > 5)).collect::<BooleanArray>()),
        Arc::new(names.finish()),
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}
