//! `lifecycle_state(first_order, last_order, orders, as_of [, active_days, inactive_days])`: the state of a customer.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimestampMicrosecondType};
use chrono_tz::Tz;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::instant;
use crate::local_time::LocalDays;

const NAME: &str = "lifecycle_state";
const SIGNATURE: &str = "lifecycle_state(first_order, last_order, orders, as_of [, active_days, inactive_days])";
const ARGUMENTS: [&str; 6] = ["first_order", "last_order", "orders", "as_of", "active_days", "inactive_days"];
const ACTIVE_DAYS: i64 = 90;
const INACTIVE_DAYS: i64 = 365;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct LifecycleState {
    signature: Signature,
    zone: Tz,
}

impl LifecycleState {
    pub(super) fn new(zone: Tz) -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable), zone }
    }
}

/// The state after `orders` orders, at least one, the last of them `ago` days ago.
fn state(orders: i64, ago: i64, active_days: i64, inactive_days: i64) -> &'static str {
    match orders {
        _ if ago > inactive_days => "inactive",
        _ if ago > active_days => "defecting",
        1 => "first_time",
        _ => "active",
    }
}

/// A date stays one, every other time becomes an instant.
fn day_type(place: usize, given: &DataType) -> Result<DataType> {
    match given {
        DataType::Date32 | DataType::Date64 => Ok(DataType::Date32),
        DataType::Timestamp(_, _) | DataType::Null => Ok(instant()),
        other => {
            let argument = ARGUMENTS[place - 1];
            plan_err!("{SIGNATURE}: argument {place} ({argument}) is {other}, not a timestamp or a date")
        }
    }
}

/// The local day of a row; none where it is NULL.
fn day(times: &ArrayRef, row: usize, days: &mut LocalDays) -> Option<i64> {
    if times.is_null(row) {
        return None;
    }
    let day = match times.as_primitive_opt::<Date32Type>() {
        Some(dates) => dates.value(row),
        None => days.day_of(times.as_primitive::<TimestampMicrosecondType>().value(row)),
    };
    Some(i64::from(day))
}

impl ScalarUDFImpl for LifecycleState {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if !matches!(given.len(), 4 | 6) {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        }
        let each = given.iter().enumerate().map(|(place, given)| match place {
            0 | 1 | 3 => day_type(place + 1, given),
            _ if given.is_integer() || *given == DataType::Null => Ok(DataType::Int64),
            _ => plan_err!("{SIGNATURE}: argument {} ({}) is {given}, not an integer", place + 1, ARGUMENTS[place]),
        });
        each.collect()
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let columns = args.args.iter().map(|column| column.to_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let number = |place: usize, row: usize| {
            let numbers = columns[place].as_primitive::<Int64Type>();
            numbers.is_valid(row).then(|| numbers.value(row))
        };
        let mut days = LocalDays::new(self.zone);
        let mut states = StringBuilder::new();
        for row in 0..rows {
            let limits = match columns.len() {
                4 => (Some(ACTIVE_DAYS), Some(INACTIVE_DAYS)),
                _ => (number(4, row), number(5, row)),
            };
            let (Some(as_of), (Some(active_days), Some(inactive_days))) = (day(&columns[3], row, &mut days), limits)
            else {
                states.append_null();
                continue;
            };
            if active_days <= 0 {
                return exec_err!("{NAME}: argument 5 (active_days) is {active_days}: it must be above 0");
            }
            if inactive_days < active_days {
                return exec_err!(
                    "{NAME}: argument 6 (inactive_days) is {inactive_days}: it must not be below active_days, {active_days}"
                );
            }
            let (first, last) = (day(&columns[0], row, &mut days), day(&columns[1], row, &mut days));
            states.append_value(match (number(2, row), first, last) {
                (Some(orders), _, _) if orders < 0 => {
                    return exec_err!("{NAME}: argument 3 (orders) is {orders}: it must not be below 0");
                }
                (Some(orders), Some(_), Some(last)) if orders > 0 => {
                    state(orders, as_of - last, active_days, inactive_days)
                }
                _ => "lead",
            });
        }
        Ok(ColumnarValue::Array(Arc::new(states.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The state of a customer, one of five: 'lead' (no order: orders is 0 or NULL, or a date is NULL), 'first_time' \
                 (one order, within active_days), 'active' (more than one, the last within active_days), 'defecting' (the \
                 last more than active_days and up to inactive_days ago), 'inactive'. Days are local days. NULL where as_of \
                 or a limit is NULL. The caller leaves out orders that do not count (net <= 0, after as_of).",
                SIGNATURE,
            )
            .with_argument("first_order", "time or local day of the first order")
            .with_argument("last_order", "time or local day of the last order")
            .with_argument("orders", "number of orders")
            .with_argument("as_of", "time or local day to which the state refers")
            .with_argument("active_days", "90 by default")
            .with_argument("inactive_days", "365 by default; not below active_days")
            .with_sql_example(
                "SELECT person, lifecycle_state(min(day), max(day), count(*), DATE '2026-06-30') FROM orders \
                 WHERE net > 0 AND day <= DATE '2026-06-30' GROUP BY person",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
