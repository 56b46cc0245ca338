//! `persons`: every component of identifiers, what it did, and its traits.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{BooleanBuilder, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};

use super::composed::{ComposedTable, Variant};
use super::{plan_sql, rows};
use crate::error::Result;
use crate::identity::{IdentitySnapshot, PersonEntry};

/// Columns that the identity snapshot alone answers.
const FROM_IDENTITY: [&str; 4] = ["person", "person_id", "known", "identifier_count"];
const FROM_EVENTS: [&str; 3] = ["first_seen", "last_seen", "event_count"];

pub(in crate::query) async fn table(state: &SessionState) -> Result<Arc<dyn TableProvider>> {
    let base = rows::table(identity_schema(), |state| Box::new(identity_rows(state.identity.clone())))?;
    let base = || -> Result<LogicalPlanBuilder> {
        Ok(LogicalPlanBuilder::scan("identity_persons", provider_as_source(Arc::clone(&base)), None)?)
    };
    let activity = plan_sql(
        state,
        "SELECT person AS active_person, min(ts) AS first_seen, max(ts) AS last_seen, count(*) AS event_count
         FROM events WHERE person IS NOT NULL GROUP BY person",
    )
    .await?;
    let traits = plan_sql(
        state,
        "SELECT person AS described_person, merge_traits(ts, message_id, properties) AS traits
         FROM events WHERE type = 'identify' AND person IS NOT NULL GROUP BY person",
    )
    .await?;
    let narrow = base()?.build()?;
    let active = join(base()?, activity, "active_person")?;
    let full = join(LogicalPlanBuilder::from(active.clone()), traits, "described_person")?;
    let with_events: HashSet<_> = FROM_IDENTITY.into_iter().chain(FROM_EVENTS).collect();
    let all = with_events.iter().copied().chain(["traits"]).collect();
    let variants = vec![
        Variant { columns: FROM_IDENTITY.into(), plan: narrow },
        Variant { columns: with_events, plan: ordered(active, &[&FROM_IDENTITY[..], &FROM_EVENTS[..]].concat())? },
        Variant { columns: all, plan: ordered(full, &column_order())? },
    ];
    Ok(Arc::new(ComposedTable::new(schema(), variants)))
}

fn column_order() -> Vec<&'static str> {
    vec!["person", "person_id", "known", "first_seen", "last_seen", "identifier_count", "event_count", "traits"]
}

fn schema() -> SchemaRef {
    let instant = crate::store::events::schema::instant;
    Arc::new(Schema::new(vec![
        Field::new("person", DataType::Int64, false),
        Field::new("person_id", DataType::Utf8, false),
        Field::new("known", DataType::Boolean, false),
        Field::new("first_seen", instant(), true),
        Field::new("last_seen", instant(), true),
        Field::new("identifier_count", DataType::Int64, false),
        Field::new("event_count", DataType::Int64, false),
        Field::new("traits", DataType::Utf8, false),
    ]))
}

fn join(left: LogicalPlanBuilder, right: LogicalPlan, key: &str) -> Result<LogicalPlan> {
    use datafusion::common::JoinType;
    Ok(left.join(right, JoinType::Left, (vec!["person"], vec![key]), None)?.build()?)
}

/// The columns by name, with the counts and traits that a person without events has.
fn ordered(plan: LogicalPlan, columns: &[&str]) -> Result<LogicalPlan> {
    use datafusion::functions::expr_fn::coalesce;
    use datafusion::logical_expr::{col, lit};
    let columns = columns.iter().map(|name| match *name {
        "event_count" => coalesce(vec![col("event_count"), lit(0_i64)]).alias("event_count"),
        "traits" => coalesce(vec![col("traits"), lit("{}")]).alias("traits"),
        "person" => col("identity_persons.person").alias("person"),
        name => col(name).alias(name),
    });
    Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
}

fn identity_schema() -> SchemaRef {
    let full = schema();
    let fields = FROM_IDENTITY.iter().filter_map(|name| full.field_with_name(name).ok().cloned());
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn identity_rows(identity: IdentitySnapshot) -> impl Iterator<Item = Result<RecordBatch>> + Send {
    let mut next = 0;
    std::iter::from_fn(move || {
        let entries: Vec<PersonEntry> = identity.canonical_from(next).take(rows::BATCH_ROWS).collect();
        next = entries.last()?.person + 1;
        Some(identity_batch(&entries))
    })
}

fn identity_batch(entries: &[PersonEntry]) -> Result<RecordBatch> {
    let (mut person, mut id) = (Int64Builder::new(), StringBuilder::new());
    let (mut known, mut count) = (BooleanBuilder::new(), Int64Builder::new());
    for entry in entries {
        person.append_value(i64::from(entry.person));
        id.append_value(entry.person_id.to_string());
        known.append_value(entry.known);
        count.append_value(i64::from(entry.identifier_count));
    }
    let columns: Vec<arrow::array::ArrayRef> =
        vec![Arc::new(person.finish()), Arc::new(id.finish()), Arc::new(known.finish()), Arc::new(count.finish())];
    Ok(RecordBatch::try_new(identity_schema(), columns)?)
}
