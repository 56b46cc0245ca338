//! `identities`: every identifier with its person, and when events carried it.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::JoinType;
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

use super::composed::{ComposedTable, Variant};
use super::{plan_sql, rows};
use crate::error::Result;
use crate::identity::IdentitySnapshot;

const FROM_IDENTITY: [&str; 5] = ["id_type", "id_value", "person", "person_id", "status"];

pub(in crate::query) async fn table(state: &SessionState) -> Result<Arc<dyn TableProvider>> {
    let base = rows::table(identity_schema(), |state| Box::new(identity_rows(state.identity.clone())))?;
    let base = LogicalPlanBuilder::scan("nodes", provider_as_source(base), None)?;
    let narrow = base
        .clone()
        .project(
            FROM_IDENTITY.iter().map(|name| if *name == "status" { lit("active").alias("status") } else { col(*name) }),
        )?
        .build()?;
    let seen = plan_sql(
        state,
        "SELECT identifier['type'] AS seen_type, identifier['value'] AS seen_value, min(ts) AS first_seen,
                max(ts) AS last_seen
         FROM (SELECT ts, unnest(identifiers) AS identifier FROM events)
         GROUP BY 1, 2",
    )
    .await?;
    let keys = (vec!["id_type", "id_value"], vec!["seen_type", "seen_value"]);
    let full = base
        .join(seen, JoinType::Left, keys, None)?
        .project(column_order().into_iter().map(|name| match name {
            "status" => lit("active").alias("status"),
            name => col(name).alias(name),
        }))?
        .build()?;
    let variants = vec![
        Variant { columns: FROM_IDENTITY.into(), plan: narrow },
        Variant { columns: column_order().into_iter().collect::<HashSet<_>>(), plan: full },
    ];
    Ok(Arc::new(ComposedTable::new(schema(), variants)))
}

fn column_order() -> Vec<&'static str> {
    vec!["id_type", "id_value", "person", "person_id", "first_seen", "last_seen", "status"]
}

fn schema() -> SchemaRef {
    let instant = crate::store::events::schema::instant;
    Arc::new(Schema::new(vec![
        Field::new("id_type", DataType::Utf8, false),
        Field::new("id_value", DataType::Utf8, false),
        Field::new("person", DataType::Int64, false),
        Field::new("person_id", DataType::Utf8, false),
        Field::new("first_seen", instant(), true),
        Field::new("last_seen", instant(), true),
        Field::new("status", DataType::Utf8, false),
    ]))
}

fn identity_schema() -> SchemaRef {
    let full = schema();
    Arc::new(Schema::new(full.fields().iter().take(4).cloned().collect::<Vec<_>>()))
}

fn identity_rows(identity: IdentitySnapshot) -> impl Iterator<Item = Result<RecordBatch>> + Send {
    let nodes = identity.nodes();
    (0..nodes).step_by(rows::BATCH_ROWS).map(move |start| {
        let end = (start + rows::BATCH_ROWS).min(nodes);
        identity_batch(&identity, start..end)
    })
}

fn identity_batch(identity: &IdentitySnapshot, nodes: Range<usize>) -> Result<RecordBatch> {
    let (mut kind, mut value) = (StringBuilder::new(), StringBuilder::new());
    let (mut person, mut person_id) = (Int64Builder::new(), StringBuilder::new());
    identity.show_identifiers(nodes, |node, name, text| {
        // Those of a load that is not committed are nobody's.
        let Some(number) = identity.person_of(node) else { return };
        kind.append_value(name);
        value.append_value(text);
        person.append_value(i64::from(number));
        // A person has an id.
        person_id.append_value(identity.person_id(number).unwrap_or_default().to_string());
    });
    let columns: Vec<arrow::array::ArrayRef> = vec![
        Arc::new(kind.finish()),
        Arc::new(value.finish()),
        Arc::new(person.finish()),
        Arc::new(person_id.finish()),
    ];
    Ok(RecordBatch::try_new(identity_schema(), columns)?)
}
