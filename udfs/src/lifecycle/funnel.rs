//! `window_funnel(window [, 'modes'], ts, c1, ..., cn)`: how far the events of a group get in a series of steps.
//!
//! State of a group: 8 bytes an event that meets a condition (any event with 'strict_order'), and one for every eight
//! conditions; at most 2^24 events.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Builder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{DocSection, Documentation};

use super::arguments::{conditions, constant_length, constant_text, event_time, length_type, type_of};
use super::events::Timeline;
use super::funnel_modes::Rules;
use super::funnel_once::Once;
use super::funnel_steps::Steps;
use super::timeline_aggregate::TimelineFunction;
use super::timelines::{Outcome, Timelines};

const NAME: &str = "window_funnel";
const SIGNATURE: &str = "window_funnel(window [, 'modes'], ts, c1, ..., cn)";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WindowFunnel;

/// Position of ts, from 0: after the window, and after the modes where they are given. A parameter that has no type yet
/// is the modes where a time follows it.
fn place_of_time(given: &[DataType]) -> usize {
    let is_time = |given: &DataType| given.is_temporal() || given.is_integer();
    match given {
        [_, second, ..] if second.is_string() => 2,
        [_, DataType::Null, third, ..] if is_time(third) => 2,
        _ => 1,
    }
}

impl TimelineFunction for WindowFunnel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aliases(&self) -> Vec<String> {
        vec!["windowfunnel".to_owned()]
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let time = place_of_time(given);
        // At least one condition follows the time.
        if given.len() < time + 2 {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        }
        let mut types = vec![length_type(SIGNATURE, 1, "window", &given[0])?];
        types.extend((time == 2).then_some(DataType::Utf8));
        types.push(event_time(SIGNATURE, time + 1, &given[time])?);
        types.extend(conditions(SIGNATURE, time + 2, &given[time + 1..])?);
        Ok(types)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn timelines(&self, args: &AccumulatorArgs) -> Result<Timelines> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let time = place_of_time(&types);
        let steps = args.exprs.len() - time - 1;
        let times = type_of(NAME, args, time + 1)?;
        let window = constant_length(NAME, 1, "window", args.exprs, times)?;
        let modes = match time {
            2 => constant_text(NAME, 2, "modes", args.exprs)?,
            _ => String::new(),
        };
        let rules = Rules::new(NAME, steps, window, &modes)?;
        Ok(Timelines::new(NAME, time, steps, rules.order, Box::new(Levels::new(rules))))
    }

    fn documentation(&self) -> &Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "How many of the conditions are met in their order by rows no later than `window` after the row that met the \
                 first (to the end inclusive): 0 to n, as ClickHouse's windowFunnel counts. One row may serve several \
                 steps; rows at one time are taken in the order of the conditions. A NULL condition is false; rows with a \
                 NULL ts are skipped; no rows give 0. There is no limit on the number of conditions.",
                SIGNATURE,
            )
            .with_argument("window", "an INTERVAL of days or less, or a whole number of seconds, above 0; one constant")
            .with_argument(
                "modes",
                "comma-separated: 'strict_order' (a row that meets no condition, or that of a later step, ends the search), \
                 'allow_reentry' (with strict_order: a step that comes too early is skipped), 'strict_deduplication' (a step \
                 met again ends the search), 'strict_increase' (each step later than the one before), 'strict_once' (a row \
                 serves one step only)",
            )
            .with_argument("ts", "time of the row: a timestamp, a date or a number of seconds")
            .with_argument("c1, ..., cn", "the steps, each a condition")
            .with_sql_example(
                "SELECT person, window_funnel(INTERVAL '7 days', ts, event = 'Product Viewed', event = 'Order Completed') \
                 FROM events WHERE person IS NOT NULL GROUP BY person",
            )
            .build()
        });
        &DOCUMENTATION
    }
}

#[derive(Debug)]
enum Search {
    Steps(Steps),
    Once(Once),
}

#[derive(Debug)]
struct Levels {
    search: Search,
    levels: Int64Builder,
}

impl Levels {
    fn new(rules: Rules) -> Self {
        let search = if rules.once { Search::Once(Once::new(rules)) } else { Search::Steps(Steps::new(rules)) };
        Self { search, levels: Int64Builder::new() }
    }
}

impl Outcome for Levels {
    fn add(&mut self, timeline: Timeline<'_>) -> Result<()> {
        let reached = match &mut self.search {
            Search::Steps(steps) => steps.reached(timeline),
            Search::Once(once) => once.reached(timeline)?,
        };
        self.levels.append_value(reached as i64);
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.levels.finish()))
    }
}
