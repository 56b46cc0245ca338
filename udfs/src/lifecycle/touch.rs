//! `attribution_first_touch(ts, channel [, lookback])` and `attribution_last_touch`: window functions, the touch that a
//! row is credited to.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    DocSection, Documentation, LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

use super::arguments::{constant_length, event_time, length_type};
use super::events::times_of;
use super::sessionize::in_order;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    First,
    Last,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Which::First => "attribution_first_touch",
            Which::Last => "attribution_last_touch",
        }
    }

    fn signature(self) -> String {
        format!("{}(ts, channel [, lookback])", self.name())
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Touch {
    which: Which,
    signature: Signature,
}

/// Both functions.
pub(super) fn all() -> [Touch; 2] {
    [Which::First, Which::Last].map(|which| Touch { which, signature: Signature::user_defined(Volatility::Immutable) })
}

fn fields(times: &DataType) -> Fields {
    Fields::from(vec![Field::new("channel", DataType::Utf8, true), Field::new("ts", times.clone(), true)])
}

fn documentation(which: Which) -> Documentation {
    let touch = match which {
        Which::First => "first touch",
        Which::Last => "last touch",
    };
    let about = format!(
        "Window function: the {touch} of the row's partition at or before the row's time, as struct(channel, ts). A row whose \
         channel is not NULL is a touch, its own included; of touches at one time the lower channel is the earlier one. NULL \
         where there is no touch. Rows are taken in the order of ts, whatever ORDER BY and frame say; a row with a NULL ts has \
         none and is none."
    );
    Documentation::builder(DocSection::default(), about, which.signature())
        .with_argument("ts", "time of the row: a timestamp, a date or a number of seconds")
        .with_argument("channel", "channel of a touch, NULL for rows that are none")
        .with_argument(
            "lookback",
            "touches longer ago do not count: an INTERVAL of days or less, or a whole number of seconds; one constant",
        )
        .with_sql_example(format!(
            "SELECT person, ts, {}(ts, channel, INTERVAL '30 days') OVER (PARTITION BY person ORDER BY ts) FROM events",
            which.name()
        ))
        .build()
}

impl WindowUDFImpl for Touch {
    fn name(&self) -> &str {
        self.which.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let signature = self.which.signature();
        let (2 | 3, [ts, channel, lookback @ ..]) = (given.len(), given) else {
            return plan_err!("{signature}: {} arguments were given", given.len());
        };
        if !(channel.is_string() || *channel == DataType::Null) {
            return plan_err!("{signature}: argument 2 (channel) is {channel}, not a text");
        }
        let mut types = vec![event_time(&signature, 1, ts)?, DataType::Utf8];
        for given in lookback {
            types.push(length_type(&signature, 3, "lookback", given)?);
        }
        Ok(types)
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let Some(times) = args.input_fields().first() else {
            return exec_err!("{}: ts is missing", self.which.signature());
        };
        let lookback = match args.input_exprs().len() {
            2 => i64::MAX,
            _ => constant_length(self.which.name(), 3, "lookback", args.input_exprs(), times.data_type())?,
        };
        Ok(Box::new(Touches { which: self.which, lookback }))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let Some(times) = args.input_fields().first() else {
            return plan_err!("{}: ts is missing", self.which.signature());
        };
        Ok(Arc::new(Field::new(args.name(), DataType::Struct(fields(times.data_type())), true)))
    }

    fn limit_effect(&self, _args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }

    fn documentation(&self) -> Option<&Documentation> {
        static FIRST: LazyLock<Documentation> = LazyLock::new(|| documentation(Which::First));
        static LAST: LazyLock<Documentation> = LazyLock::new(|| documentation(Which::Last));
        match self.which {
            Which::First => Some(&FIRST),
            Which::Last => Some(&LAST),
        }
    }
}

#[derive(Debug)]
struct Touches {
    which: Which,
    lookback: i64,
}

/// For each row the row of its touch.
fn touches(which: Which, lookback: i64, times: &ArrayRef, channels: &StringArray) -> Vec<Option<u32>> {
    let (values, _) = times_of(times);
    let rows = in_order(times);
    let mut found = vec![None; times.len()];
    // Touches within the lookback, earliest first.
    let mut held: VecDeque<usize> = VecDeque::new();
    for same in rows.chunk_by(|left, right| values[*left] == values[*right]) {
        let mut new: Vec<usize> = same.iter().copied().filter(|row| channels.is_valid(*row)).collect();
        new.sort_by_key(|row| channels.value(*row));
        if which == Which::Last && !new.is_empty() {
            held.clear();
        }
        held.extend(new);
        let Some(time) = same.first().map(|row| values[*row]) else { continue };
        while held.front().is_some_and(|row| time.saturating_sub(values[*row]) > lookback) {
            held.pop_front();
        }
        let touch = match which {
            Which::First => held.front(),
            Which::Last => held.back(),
        };
        for row in same {
            // A partition in memory has fewer than 2^32 rows.
            found[*row] = touch.map(|touch| *touch as u32);
        }
    }
    found
}

impl PartitionEvaluator for Touches {
    fn evaluate_all(&mut self, values: &[ArrayRef], _num_rows: usize) -> Result<ArrayRef> {
        let (times, channels) = (&values[0], &values[1]);
        let found = UInt32Array::from(touches(self.which, self.lookback, times, channels.as_string::<i32>()));
        let valid: NullBuffer = found.iter().map(|row| row.is_some()).collect();
        let columns = vec![take(channels, &found, None)?, take(times, &found, None)?];
        Ok(Arc::new(StructArray::try_new(fields(times.data_type()), columns, Some(valid))?))
    }
}
