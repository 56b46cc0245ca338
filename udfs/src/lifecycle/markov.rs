//! `markov_attribution(path, converted)`: shares conversions among channels by removal effect.
//!
//! State of a group: a count for each pair of channels that follow one another, at most 1,000 channels.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{HashMap, Result, ScalarValue, plan_err, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::arguments::damaged;
use super::attribution::NONE;
use super::markov_chain::Chain;
use super::timelines::no_distinct;

const NAME: &str = "markov_attribution";
const SIGNATURE: &str = "markov_attribution(path, converted)";
const MOST_CHANNELS: usize = 1_000;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct MarkovAttribution {
    signature: Signature,
}

impl MarkovAttribution {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn fields() -> Fields {
    Fields::from(vec![Field::new("channel", DataType::Utf8, true), Field::new("credit", DataType::Float64, true)])
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

impl AggregateUDFImpl for MarkovAttribution {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [path, converted] = given else {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        };
        match path {
            DataType::Null => {}
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
                if item.data_type().is_string() || item.data_type().is_null() => {}
            other => return plan_err!("{SIGNATURE}: argument 1 (path) is {other}, not a list of channels"),
        }
        if !matches!(converted, DataType::Boolean | DataType::Null) {
            return plan_err!("{SIGNATURE}: argument 2 (converted) is {converted}, not a condition");
        }
        Ok(vec![list_of(DataType::Utf8), DataType::Boolean])
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(list_of(DataType::Struct(fields())))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        no_distinct(NAME, &args)?;
        Ok(Box::new(Paths::default()))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("channels", list_of(DataType::Utf8), true)),
            Arc::new(Field::new("from", list_of(DataType::Int64), true)),
            Arc::new(Field::new("to", list_of(DataType::Int64), true)),
            Arc::new(Field::new("count", list_of(DataType::Int64), true)),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Shares the conversions among channels by a Markov chain of order one, solved exactly: a list of \
                 struct(channel, credit) by name of the channel. The removal effect of a channel is the share of conversions \
                 that is lost when paths end at it; credits are in proportion to it and add up to the conversions. NULL \
                 channels are left out of a path; conversions of paths without a channel are credited to '(none)'; a NULL \
                 converted is false. No rows give an empty list.",
                SIGNATURE,
            )
            .with_argument("path", "list of the channels that a person touched, in order")
            .with_argument("converted", "whether the path ended in a conversion")
            .with_sql_example(
                "SELECT markov_attribution(path, converted) FROM (SELECT array_agg(channel ORDER BY ts) AS path, \
                 bool_or(event = 'Order Completed') AS converted FROM events GROUP BY person)",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

/// Places beside the channels, which are numbered from 0.
const START: i64 = -1;
const CONVERTED: i64 = -2;
const LOST: i64 = -3;

#[derive(Debug, Default)]
struct Paths {
    numbers: HashMap<String, i64>,
    channels: Vec<String>,
    /// Bytes of the names.
    names: usize,
    counts: HashMap<(i64, i64), i64>,
}

impl Paths {
    fn number(&mut self, channel: &str) -> Result<i64> {
        if let Some(number) = self.numbers.get(channel) {
            return Ok(*number);
        }
        if self.channels.len() == MOST_CHANNELS {
            return resources_err!("{NAME}: a group has more than {MOST_CHANNELS} channels");
        }
        let number = self.channels.len() as i64;
        self.names += 2 * channel.len();
        self.numbers.insert(channel.to_owned(), number);
        self.channels.push(channel.to_owned());
        Ok(number)
    }

    fn count(&mut self, from: i64, to: i64, times: i64) {
        *self.counts.entry((from, to)).or_default() += times;
    }

    fn of(&self, from: i64, to: i64) -> f64 {
        self.counts.get(&(from, to)).map_or(0.0, |count| *count as f64)
    }

    /// Channels with their credits, by name.
    fn credits(&self) -> Vec<(&str, f64)> {
        // By name, so that the sums have the same bits however the rows came.
        let mut order: Vec<usize> = (0..self.channels.len()).collect();
        order.sort_unstable_by_key(|channel| &self.channels[*channel]);
        let number = |place: usize| order[place] as i64;
        let mut chain = Chain::new(order.len());
        for from in 0..order.len() {
            chain.starts[from] = self.of(START, number(from));
            chain.converted[from] = self.of(number(from), CONVERTED);
            chain.lost[from] = self.of(number(from), LOST);
            for to in 0..order.len() {
                chain.moves[from * order.len() + to] = self.of(number(from), number(to));
            }
        }
        let effects = chain.removal_effects();
        let (all, conversions): (f64, f64) = (effects.iter().sum(), chain.converted.iter().sum());
        let credit = |effect: &f64| if all > 0.0 { conversions * effect / all } else { 0.0 };
        let names = order.iter().map(|channel| self.channels[*channel].as_str());
        let mut credits: Vec<(&str, f64)> = names.zip(effects.iter().map(credit)).collect();
        let untouched = self.of(START, CONVERTED);
        if untouched > 0.0 {
            credits.push((NONE, untouched));
        }
        credits
    }
}

impl Accumulator for Paths {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let converted = values[1].as_boolean();
        for (row, path) in values[0].as_list::<i32>().iter().enumerate() {
            let mut from = START;
            if let Some(path) = &path {
                for channel in path.as_string::<i32>().iter().flatten() {
                    let to = self.number(channel)?;
                    self.count(from, to, 1);
                    from = to;
                }
            }
            let end = if converted.is_valid(row) && converted.value(row) { CONVERTED } else { LOST };
            self.count(from, end, 1);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let credits = self.credits();
        let channels: StringArray = credits.iter().map(|(channel, _)| Some(*channel)).collect();
        let credits: Float64Array = credits.iter().map(|(_, credit)| Some(*credit)).collect();
        let entries = StructArray::try_new(fields(), vec![Arc::new(channels), Arc::new(credits)], None)?;
        Ok(SingleRowListArrayBuilder::new(Arc::new(entries)).build_list_scalar())
    }

    fn size(&self) -> usize {
        let names = self.names + self.channels.capacity() * size_of::<String>();
        let numbers = self.numbers.capacity() * (size_of::<(String, i64)>() + 1);
        size_of_val(self) + names + numbers + self.counts.capacity() * (size_of::<((i64, i64), i64)>() + 1)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |items: ArrayRef| SingleRowListArrayBuilder::new(items).build_list_scalar();
        let channels: StringArray = self.channels.iter().map(Some).collect();
        let from: Int64Array = self.counts.keys().map(|(from, _)| Some(*from)).collect();
        let to: Int64Array = self.counts.keys().map(|(_, to)| Some(*to)).collect();
        let count: Int64Array = self.counts.values().map(|count| Some(*count)).collect();
        Ok(vec![list(Arc::new(channels)), list(Arc::new(from)), list(Arc::new(to)), list(Arc::new(count))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [channels, from, to, count] = states else { return Err(damaged(NAME)) };
        for row in (0..channels.len()).filter(|row| channels.is_valid(*row)) {
            let list = |column: &ArrayRef| column.as_list::<i32>().value(row);
            let names = list(channels);
            let numbers = names.as_string::<i32>().iter().map(|channel| self.number(channel.unwrap_or_default()));
            let numbers = numbers.collect::<Result<Vec<i64>>>()?;
            let (from, to, count) = (list(from), list(to), list(count));
            let pairs = from.as_primitive::<Int64Type>().values().iter().zip(to.as_primitive::<Int64Type>().values());
            for ((from, to), count) in pairs.zip(count.as_primitive::<Int64Type>().values()) {
                let here = |place: i64| match usize::try_from(place) {
                    Ok(number) => numbers.get(number).copied().ok_or_else(|| damaged(NAME)),
                    Err(_) => Ok(place),
                };
                let (from, to) = (here(*from)?, here(*to)?);
                self.count(from, to, *count);
            }
        }
        Ok(())
    }
}
