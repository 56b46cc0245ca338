//! `sequence_match(pattern, ts, c1, ...)`, `sequence_count` and `sequence_events`: patterns in the events of a group.
//!
//! State of a group: 8 bytes an event that meets a condition, and one for every eight conditions; at most 2^24 events.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayBuilder, ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, PrimitiveBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err, resources_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{DocSection, Documentation};

use super::arguments::{conditions, constant_text, event_time, type_of};
use super::events::Timeline;
use super::sequence_pattern::Pattern;
use super::sequence_search::Search;
use super::timeline_aggregate::TimelineFunction;
use super::timelines::{Outcome, Timelines};

/// What is told of the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Match,
    Count,
    Events,
}

/// In the order of their declaration.
const KINDS: [Kind; 3] = [Kind::Match, Kind::Count, Kind::Events];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Match => "sequence_match",
            Kind::Count => "sequence_count",
            Kind::Events => "sequence_events",
        }
    }

    fn signature(self) -> String {
        format!("{}(pattern, ts, c1, ..., cn)", self.name())
    }

    fn about(self) -> &'static str {
        match self {
            Kind::Match => {
                "Whether the events of a group, in order of time, follow a pattern somewhere, as ClickHouse's sequenceMatch."
            }
            Kind::Count => {
                "How often the events of a group, in order of time, follow a pattern, one after the other without overlap, as \
                 ClickHouse's sequenceCount."
            }
            Kind::Events => {
                "The times of the longest chain of events that meet the conditions of a pattern from its beginning on, as \
                 ClickHouse's sequenceMatchEvents; an empty list where none does."
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sequence {
    kind: Kind,
}

/// The three functions.
pub(super) fn all() -> [Sequence; 3] {
    KINDS.map(|kind| Sequence { kind })
}

fn documentation(kind: Kind) -> Documentation {
    let rules = "Rows that meet no condition do not count; rows at one time are taken in the order of the conditions that \
                 they meet; a NULL condition is false; rows with a NULL ts are skipped. A search of more than a million \
                 steps in one group is an error.";
    Documentation::builder(DocSection::default(), format!("{} {rules}", kind.about()), kind.signature())
        .with_argument(
            "pattern",
            "a constant text of '(?N)' (an event that meets condition N), '.' (any event), '.*' (any number of events) and, \
             after one of these, '(?t<=S)', '(?t<S)', '(?t>=S)', '(?t>S)' or '(?t==S)' (seconds to the next event)",
        )
        .with_argument("ts", "time of the row: a timestamp, a date or a number of seconds")
        .with_argument("c1, ..., cn", "conditions, named in the pattern by their number from 1")
        .with_sql_example(format!(
            "SELECT person, {}('(?1)(?t<=3600)(?2)', ts, event = 'Product Viewed', event = 'Order Completed') FROM events \
             WHERE person IS NOT NULL GROUP BY person",
            kind.name()
        ))
        .build()
}

impl TimelineFunction for Sequence {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let signature = self.kind.signature();
        if given.len() < 3 {
            return plan_err!("{signature}: {} arguments were given", given.len());
        }
        if !(given[0].is_string() || given[0] == DataType::Null) {
            return plan_err!("{signature}: argument 1 (pattern) is {}, not a text", given[0]);
        }
        let mut types = vec![DataType::Utf8, event_time(&signature, 2, &given[1])?];
        types.extend(conditions(&signature, 3, &given[2..])?);
        Ok(types)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(match (self.kind, given) {
            (Kind::Match, _) => DataType::Boolean,
            (Kind::Count, _) => DataType::Int64,
            (Kind::Events, [_, times, ..]) => list_of(times),
            (Kind::Events, _) => return plan_err!("{}: ts is missing", self.kind.signature()),
        })
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match self.kind {
            Kind::Match => Ok(ScalarValue::Boolean(Some(false))),
            Kind::Count => Ok(ScalarValue::Int64(Some(0))),
            Kind::Events => ScalarValue::new_default(data_type),
        }
    }

    fn timelines(&self, args: &AccumulatorArgs) -> Result<Timelines> {
        let name = self.kind.name();
        let text = constant_text(name, 1, "pattern", args.exprs)?;
        let conditions = args.exprs.len() - 2;
        let times = type_of(name, args, 2)?;
        let search = Search::new(name, Pattern::new(name, &text, conditions, *times == DataType::Int64)?);
        let outcome: Box<dyn Outcome> = match self.kind {
            Kind::Match => Box::new(Matches { search, found: BooleanBuilder::new() }),
            Kind::Count => Box::new(Counts { search, found: Int64Builder::new() }),
            Kind::Events => {
                let item = Arc::new(Field::new_list_field(DataType::Int64, true));
                Box::new(Chains {
                    search,
                    times: times.clone(),
                    found: ListBuilder::new(PrimitiveBuilder::new()).with_field(item),
                })
            }
        };
        Ok(Timelines::new(name, 1, conditions, false, outcome))
    }

    fn documentation(&self) -> &Documentation {
        static DOCUMENTATION: LazyLock<[Documentation; 3]> = LazyLock::new(|| KINDS.map(documentation));
        &DOCUMENTATION[self.kind as usize]
    }
}

fn list_of(times: &DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(times.clone(), true)))
}

#[derive(Debug)]
struct Matches {
    search: Search,
    found: BooleanBuilder,
}

impl Outcome for Matches {
    fn add(&mut self, timeline: Timeline<'_>) -> Result<()> {
        self.found.append_value(self.search.matches(timeline)?);
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.found.finish()))
    }
}

#[derive(Debug)]
struct Counts {
    search: Search,
    found: Int64Builder,
}

impl Outcome for Counts {
    fn add(&mut self, timeline: Timeline<'_>) -> Result<()> {
        self.found.append_value(self.search.count(timeline)?);
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        Ok(Arc::new(self.found.finish()))
    }
}

#[derive(Debug)]
struct Chains {
    search: Search,
    times: DataType,
    found: ListBuilder<PrimitiveBuilder<Int64Type>>,
}

impl Outcome for Chains {
    fn add(&mut self, timeline: Timeline<'_>) -> Result<()> {
        let chain = self.search.events(timeline)?;
        if i32::try_from(self.found.values().len() + chain.len()).is_err() {
            return resources_err!("sequence_events: the chains have more than 2^31 events in one result");
        }
        self.found.values().append_slice(chain);
        self.found.append(true);
        Ok(())
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        // Microseconds become instants by name only.
        let found: ArrayRef = Arc::new(self.found.finish());
        Ok(cast(&found, &list_of(&self.times))?)
    }
}
