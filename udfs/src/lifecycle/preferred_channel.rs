//! `preferred_channel(channel, responded)`: the channel on which a person responds best. State of a group: two counts for
//! each channel, at most 10,000 channels.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, plan_err, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::arguments::damaged;
use super::timelines::no_distinct;

const NAME: &str = "preferred_channel";
const SIGNATURE: &str = "preferred_channel(channel, responded)";
const MOST_CHANNELS: usize = 10_000;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PreferredChannel {
    signature: Signature,
}

impl PreferredChannel {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

impl AggregateUDFImpl for PreferredChannel {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [channel, responded] = given else {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        };
        if !(channel.is_string() || *channel == DataType::Null) {
            return plan_err!("{SIGNATURE}: argument 1 (channel) is {channel}, not a text");
        }
        if !matches!(responded, DataType::Boolean | DataType::Null) {
            return plan_err!("{SIGNATURE}: argument 2 (responded) is {responded}, not a condition");
        }
        Ok(vec![DataType::Utf8, DataType::Boolean])
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        no_distinct(NAME, &args)?;
        Ok(Box::new(Channels::default()))
    }

    fn state_fields(&self, _args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            Arc::new(Field::new("channels", list_of(DataType::Utf8), true)),
            Arc::new(Field::new("sent", list_of(DataType::Int64), true)),
            Arc::new(Field::new("responses", list_of(DataType::Int64), true)),
        ])
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The channel with the highest smoothed response rate, (responses + 1) / (messages + 2), among those with a \
                 response: one answer to one message does not beat eight to ten. Of equal rates the channel with more \
                 messages, then the lower name. NULL where there is no response. Rows with a NULL channel are skipped; a NULL \
                 responded is none.",
                SIGNATURE,
            )
            .with_argument("channel", "channel of a message")
            .with_argument("responded", "whether the person opened, clicked or ordered")
            .with_sql_example("SELECT preferred_channel(c, r) FROM (VALUES ('sms', true), ('email', false)) AS t(c, r)")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    sent: i64,
    responses: i64,
}

#[derive(Debug, Default)]
struct Channels {
    counts: BTreeMap<String, Counts>,
    /// Bytes of the names.
    names: usize,
}

impl Channels {
    fn add(&mut self, channel: &str, counts: Counts) -> Result<()> {
        // No allocation for a channel that is known.
        if let Some(held) = self.counts.get_mut(channel) {
            held.sent += counts.sent;
            held.responses += counts.responses;
            return Ok(());
        }
        if self.counts.len() == MOST_CHANNELS {
            return resources_err!("{NAME}: a group has more than {MOST_CHANNELS} channels");
        }
        self.names += channel.len();
        self.counts.insert(channel.to_owned(), counts);
        Ok(())
    }

    fn best(&self) -> Option<&str> {
        // Fractions are compared without division: (r + 1) / (n + 2).
        let terms = |counts: &Counts| (i128::from(counts.responses) + 1, i128::from(counts.sent) + 2);
        let better = |left: &Counts, right: &Counts| {
            let ((top, bottom), (other_top, other_bottom)) = (terms(left), terms(right));
            (top * other_bottom).cmp(&(other_top * bottom)).then(left.sent.cmp(&right.sent))
        };
        let mut best: Option<(&str, &Counts)> = None;
        for (channel, counts) in self.counts.iter().filter(|(_, counts)| counts.responses > 0) {
            if best.is_none_or(|(_, held)| better(counts, held).is_gt()) {
                best = Some((channel, counts));
            }
        }
        best.map(|(channel, _)| channel)
    }
}

impl Accumulator for Channels {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let responded = values[1].as_boolean();
        for (row, channel) in values[0].as_string::<i32>().iter().enumerate() {
            if let Some(channel) = channel {
                let response = responded.is_valid(row) && responded.value(row);
                self.add(channel, Counts { sent: 1, responses: i64::from(response) })?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Utf8(self.best().map(str::to_owned)))
    }

    fn size(&self) -> usize {
        // An estimate of the tree's nodes.
        size_of_val(self) + self.names + self.counts.len() * (size_of::<(String, Counts)>() + 16)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |items: ArrayRef| SingleRowListArrayBuilder::new(items).build_list_scalar();
        let channels: StringArray = self.counts.keys().map(Some).collect();
        let sent: Int64Array = self.counts.values().map(|counts| Some(counts.sent)).collect();
        let responses: Int64Array = self.counts.values().map(|counts| Some(counts.responses)).collect();
        Ok(vec![list(Arc::new(channels)), list(Arc::new(sent)), list(Arc::new(responses))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [channels, sent, responses] = states else { return Err(damaged(NAME)) };
        let lists = channels.as_list::<i32>().iter().zip(sent.as_list::<i32>().iter());
        for ((channels, sent), responses) in lists.zip(responses.as_list::<i32>().iter()) {
            let (Some(channels), Some(sent), Some(responses)) = (channels, sent, responses) else { continue };
            let (sent, responses) = (sent.as_primitive::<Int64Type>(), responses.as_primitive::<Int64Type>());
            let counts = sent.values().iter().zip(responses.values());
            for (channel, (sent, responses)) in channels.as_string::<i32>().iter().zip(counts) {
                self.add(channel.unwrap_or_default(), Counts { sent: *sent, responses: *responses })?;
            }
        }
        Ok(())
    }
}
