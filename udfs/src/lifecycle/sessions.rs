//! `sessions(ts, gap)`: how many sessions the rows of a group make. State of a group: 8 bytes a row; at most 2^24 rows.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Builder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{DocSection, Documentation};

use super::arguments::{constant_length, event_time, length_type, type_of};
use super::events::Timeline;
use super::timeline_aggregate::TimelineFunction;
use super::timelines::{Outcome, Timelines};

const NAME: &str = "sessions";
const SIGNATURE: &str = "sessions(ts, gap)";

/// The types of (ts, gap), for both functions of sessions.
pub(super) fn types(signature: &str, given: &[DataType]) -> Result<Vec<DataType>> {
    let [ts, gap] = given else {
        return plan_err!("{signature}: {} arguments were given", given.len());
    };
    Ok(vec![event_time(signature, 1, ts)?, length_type(signature, 2, "gap", gap)?])
}

/// Whether a time after another one begins a session.
pub(super) fn begins(before: i64, time: i64, gap: i64) -> bool {
    time.saturating_sub(before) > gap
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sessions;

impl TimelineFunction for Sessions {
    fn name(&self) -> &'static str {
        NAME
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        types(SIGNATURE, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn timelines(&self, args: &AccumulatorArgs) -> Result<Timelines> {
        let times = type_of(NAME, args, 1)?;
        let gap = constant_length(NAME, 2, "gap", args.exprs, times)?;
        Ok(Timelines::new(NAME, 0, 0, true, Box::new(Count { gap, counts: Int64Builder::new() })))
    }

    fn documentation(&self) -> &Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The number of sessions: a row more than `gap` later than the one before it begins a session. Rows with a \
                 NULL ts are skipped; no rows give 0.",
                SIGNATURE,
            )
            .with_argument("ts", "time of the row: a timestamp, a date or a number of seconds")
            .with_argument("gap", "an INTERVAL of days or less, or a whole number of seconds, above 0; one constant")
            .with_sql_example(
                "SELECT person, sessions(ts, INTERVAL '30 minutes') FROM events WHERE person IS NOT NULL GROUP BY person",
            )
            .build()
        });
        &DOCUMENTATION
    }
}

#[derive(Debug)]
struct Count {
    gap: i64,
    counts: Int64Builder,
}

impl Outcome for Count {
    fn add(&mut self, timeline: Timeline<'_>) -> Result<()> {
        let later = timeline.times.windows(2).filter(|pair| begins(pair[0], pair[1], self.gap)).count();
        self.counts.append_value(if timeline.len() == 0 { 0 } else { later as i64 + 1 });
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.counts.finish()))
    }
}
