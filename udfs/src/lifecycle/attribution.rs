//! `attribution(model, touch_ts, channel, conversion_ts, value [, options])`: shares a conversion among its touches.
//!
//! State of a group: time and channel of each touch, at most 2^20.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Fields, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::arguments::{constant_text, damaged, event_time, type_of};
use super::attribution_models::{Rules, shares};
use super::events::times_of;
use super::timelines::no_distinct;

const NAME: &str = "attribution";
const SIGNATURE: &str = "attribution(model, touch_ts, channel, conversion_ts, value [, options])";
const MOST_TOUCHES: usize = 1 << 20;
const SCALE: i8 = 4;
const MONEY: DataType = DataType::Decimal128(38, SCALE);
const SECONDS_A_DAY: f64 = 86_400.0;
/// Where credit goes without a touch.
pub(super) const NONE: &str = "(none)";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Attribution {
    signature: Signature,
}

impl Attribution {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("channel", DataType::Utf8, true), Field::new("credit", MONEY, true)])
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

impl AggregateUDFImpl for Attribution {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [model, touch_ts, channel, conversion_ts, value, options @ ..] = given else {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        };
        if options.len() > 1 {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        }
        let text = |kind: &DataType| kind.is_string() || kind.is_null();
        if !text(model) || !text(channel) || !options.iter().all(text) {
            return plan_err!("{SIGNATURE}: model, channel and options are texts");
        }
        if !(value.is_numeric() || value.is_null()) {
            return plan_err!("{SIGNATURE}: argument 5 (value) is {value}, not a number");
        }
        let (touch, conversion) = (event_time(SIGNATURE, 2, touch_ts)?, event_time(SIGNATURE, 4, conversion_ts)?);
        if touch != conversion && !touch_ts.is_null() && !conversion_ts.is_null() {
            return plan_err!(
                "{SIGNATURE}: touch_ts is {touch_ts} and conversion_ts is {conversion_ts}; use one kind of time"
            );
        }
        let times = if touch_ts.is_null() { conversion } else { touch };
        let mut types = vec![DataType::Utf8, times.clone(), DataType::Utf8, times, MONEY];
        types.extend(options.iter().map(|_| DataType::Utf8));
        Ok(types)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::Struct(fields())))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        no_distinct(NAME, &args)?;
        let model = constant_text(NAME, 1, "model", args.exprs)?;
        let options = match args.exprs.len() {
            6 => constant_text(NAME, 6, "options", args.exprs)?,
            _ => String::new(),
        };
        let day = match type_of(NAME, &args, 2)? {
            DataType::Int64 => SECONDS_A_DAY,
            _ => SECONDS_A_DAY * 1e6,
        };
        let rules = Rules::new(NAME, &model, &options)?;
        Ok(Box::new(Journey { rules, day, touches: Vec::new(), names: 0, conversion: None, value: None }))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("times", list_of(DataType::Int64), true)),
            Arc::new(Field::new("channels", list_of(DataType::Utf8), true)),
            Arc::new(Field::new("conversion", DataType::Int64, true)),
            Arc::new(Field::new("value", MONEY, true)),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Shares the value of a conversion among the channels that were touched up to it: a list of struct(channel, \
                 credit), one entry a channel, in the order of the first touch; credits add up to value exactly. One group is \
                 one conversion. A row with a NULL touch_ts or channel is no touch; touches after the conversion do not count; \
                 touches at one time are taken in the order of their channels. Without a touch '(none)' has all credit. NULL \
                 where conversion_ts or value is.",
                SIGNATURE,
            )
            .with_argument(
                "model",
                "'first', 'last', 'linear', 'position' (40 % to the first touch, 40 % to the last, the rest to those between; \
                 two touches share equally) or 'time_decay' (a touch counts half of one 7 days later)",
            )
            .with_argument("touch_ts", "time of a touch")
            .with_argument("channel", "channel of the touch")
            .with_argument("conversion_ts", "time of the conversion, the same for all rows of the group")
            .with_argument("value", "what is shared, such as the order's net amount; the same for all rows of the group")
            .with_argument(
                "options",
                "comma-separated name=number: lookback_days, half_life_days (of 'time_decay'), first_share, last_share (of \
                 'position')",
            )
            .with_sql_example(
                "SELECT o.order_id, attribution('linear', e.ts, e.channel, o.ts, o.net) FROM orders o LEFT JOIN events e \
                 ON e.person = o.person GROUP BY o.order_id",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug)]
struct Journey {
    rules: Rules,
    /// Length of a day in the unit of the times.
    day: f64,
    touches: Vec<(i64, String)>,
    /// Bytes of the channels' names.
    names: usize,
    conversion: Option<i64>,
    value: Option<i128>,
}

/// Keeps what is one value for all rows of a group.
fn set<T: PartialEq + Copy>(held: &mut Option<T>, value: T, place: usize, argument: &str) -> Result<()> {
    match held.replace(value) {
        Some(before) if before != value => {
            exec_err!(
                "{NAME}: argument {place} ({argument}) must be the same for all rows of a group: one group is one conversion"
            )
        }
        _ => Ok(()),
    }
}

impl Journey {
    fn add(&mut self, time: i64, channel: &str) -> Result<()> {
        if self.touches.len() == MOST_TOUCHES {
            return resources_err!("{NAME}: a group has more than {MOST_TOUCHES} touches");
        }
        self.names += channel.len();
        self.touches.push((time, channel.to_owned()));
        Ok(())
    }

    fn set_conversion(&mut self, times: &[i64], valid: impl Fn(usize) -> bool, values: &Decimal128Array) -> Result<()> {
        for (row, time) in times.iter().enumerate().filter(|(row, _)| valid(*row)) {
            set(&mut self.conversion, *time, 4, "conversion_ts")?;
            if values.is_valid(row) {
                set(&mut self.value, values.value(row), 5, "value")?;
            }
        }
        Ok(())
    }

    /// Channels with their credits.
    fn credits(&self, conversion: i64, value: i128) -> Vec<(&str, i128)> {
        let days = |time: i64| (i128::from(conversion) - i128::from(time)) as f64 / self.day;
        let counts = |time: i64| time <= conversion && self.rules.lookback.is_none_or(|most| days(time) <= most);
        let mut touches: Vec<(i64, &str)> = self
            .touches
            .iter()
            .filter(|(time, _)| counts(*time))
            .map(|(time, channel)| (*time, channel.as_str()))
            .collect();
        touches.sort_unstable();
        let days: Vec<f64> = touches.iter().map(|(time, _)| days(*time)).collect();
        let mut channels: Vec<(&str, f64)> = Vec::new();
        for ((_, channel), weight) in touches.iter().zip(self.rules.model.weights(&days)) {
            match channels.iter_mut().find(|(held, _)| held == channel) {
                Some((_, held)) => *held += weight,
                None => channels.push((channel, weight)),
            }
        }
        channels.retain(|(_, weight)| *weight > 0.0);
        if channels.is_empty() {
            return vec![(NONE, value)];
        }
        let weights: Vec<f64> = channels.iter().map(|(_, weight)| *weight).collect();
        channels.iter().map(|(channel, _)| *channel).zip(shares(value, &weights)).collect()
    }
}

impl Accumulator for Journey {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let ((touched, touch_valid), channels) = (times_of(&values[1]), values[2].as_string::<i32>());
        let (conversions, valid) = times_of(&values[3]);
        let valid = |row: usize| valid.is_none_or(|valid| valid.is_valid(row));
        self.set_conversion(conversions, valid, values[4].as_primitive::<Decimal128Type>())?;
        for (row, channel) in channels.iter().enumerate() {
            if let Some(channel) = channel.filter(|_| touch_valid.is_none_or(|valid| valid.is_valid(row))) {
                self.add(touched[row], channel)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (Some(conversion), Some(value)) = (self.conversion, self.value) else {
            return ScalarValue::try_from(list_of(DataType::Struct(fields())));
        };
        let credits = self.credits(conversion, value);
        let channels: StringArray = credits.iter().map(|(channel, _)| Some(*channel)).collect();
        let credits: Decimal128Array = credits.iter().map(|(_, credit)| Some(*credit)).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(channels), Arc::new(credits.with_precision_and_scale(38, SCALE)?)];
        let entries = StructArray::try_new(fields(), columns, None)?;
        Ok(SingleRowListArrayBuilder::new(Arc::new(entries)).build_list_scalar())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.touches.capacity() * size_of::<(i64, String)>() + self.names
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |items: ArrayRef| SingleRowListArrayBuilder::new(items).build_list_scalar();
        let times: Int64Array = self.touches.iter().map(|(time, _)| Some(*time)).collect();
        let channels: StringArray = self.touches.iter().map(|(_, channel)| Some(channel)).collect();
        Ok(vec![
            list(Arc::new(times)),
            list(Arc::new(channels)),
            ScalarValue::Int64(self.conversion),
            ScalarValue::Decimal128(self.value, 38, SCALE),
        ])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [times, channels, conversions, values] = states else { return Err(damaged(NAME)) };
        let conversions = conversions.as_primitive::<Int64Type>();
        let valid = |row: usize| conversions.is_valid(row);
        self.set_conversion(conversions.values(), valid, values.as_primitive::<Decimal128Type>())?;
        for (times, channels) in times.as_list::<i32>().iter().zip(channels.as_list::<i32>().iter()) {
            let (Some(times), Some(channels)) = (times, channels) else { continue };
            let times = times.as_primitive::<Int64Type>().values().iter();
            for (time, channel) in times.zip(channels.as_string::<i32>().iter()) {
                self.add(*time, channel.unwrap_or_default())?;
            }
        }
        Ok(())
    }
}
