//! What one load adds to the identity graph, and its form as an open Parquet object.
//!
//! One row is a node, an edge or a birth (`kind`). Replaying all batches in commit order gives the graph back.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, Int64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use uuid::Uuid;

use super::identifier::{IdentifierTypes, TypeId};
use crate::error::{Error, Result};
use crate::ids::{Node, Person};

/// New nodes in their order, distinct edges, births in their order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct IdentityBatch {
    pub nodes: Vec<(Node, TypeId, String)>,
    pub edges: Vec<(Node, Node)>,
    pub births: Vec<(Node, Person, Uuid)>,
}

impl IdentityBatch {
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.edges.is_empty() && self.births.is_empty()
    }

    /// Nodes, edges and births.
    pub fn len(&self) -> usize {
        self.nodes.len() + self.edges.len() + self.births.len()
    }

    /// Of memory.
    pub fn bytes(&self) -> usize {
        let values: usize = self.nodes.iter().map(|(_, _, value)| value.len()).sum();
        values
            + self.nodes.len() * size_of::<(Node, TypeId, String)>()
            + self.edges.len() * size_of::<(Node, Node)>()
            + self.births.len() * size_of::<(Node, Person, Uuid)>()
    }

    /// Adds the changes that follow on these.
    pub fn append(&mut self, next: Self) {
        self.nodes.extend(next.nodes);
        self.edges.extend(next.edges);
        self.births.extend(next.births);
    }

    pub fn schema() -> SchemaRef {
        static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
            Arc::new(Schema::new(vec![
                Field::new("kind", DataType::Utf8, false),
                Field::new("node", DataType::Int64, false),
                Field::new("other_node", DataType::Int64, true),
                Field::new("id_type", DataType::Utf8, true),
                Field::new("id_value", DataType::Utf8, true),
                Field::new("person", DataType::Int64, true),
                Field::new("person_id", DataType::Utf8, true),
            ]))
        });
        Arc::clone(&SCHEMA)
    }

    /// The rows of the object; `types` are those of the graph that the batch comes from.
    pub fn to_record_batch(&self, types: &IdentifierTypes) -> Result<RecordBatch> {
        let mut rows = Rows::default();
        for (node, kind, value) in &self.nodes {
            rows.push("node", *node, None, Some((types.name(*kind), value)), None);
        }
        for (node, other) in &self.edges {
            rows.push("edge", *node, Some(*other), None, None);
        }
        for (node, person, person_id) in &self.births {
            rows.push("birth", *node, None, None, Some((*person, *person_id)));
        }
        rows.finish()
    }

    /// # Errors
    /// `Corrupt` when a row is not what [`Self::to_record_batch`] writes.
    pub fn from_record_batches(types: &IdentifierTypes, batches: &[RecordBatch]) -> Result<Self> {
        let mut found = Self::default();
        for batch in batches {
            let columns = Columns::of(batch).ok_or_else(|| damaged("columns"))?;
            for row in 0..batch.num_rows() {
                columns.read_row(types, row, &mut found)?;
            }
        }
        Ok(found)
    }
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("an identity object has damaged {what}: run `convoke check`"))
}

#[derive(Default)]
struct Rows {
    kind: StringBuilder,
    node: Int64Builder,
    other: Int64Builder,
    id_type: StringBuilder,
    id_value: StringBuilder,
    person: Int64Builder,
    person_id: StringBuilder,
}

impl Rows {
    fn push(
        &mut self,
        kind: &str,
        node: Node,
        other: Option<Node>,
        identifier: Option<(&str, &str)>,
        birth: Option<(Person, Uuid)>,
    ) {
        self.kind.append_value(kind);
        self.node.append_value(i64::from(node));
        self.other.append_option(other.map(i64::from));
        self.id_type.append_option(identifier.map(|(name, _)| name));
        self.id_value.append_option(identifier.map(|(_, value)| value));
        self.person.append_option(birth.map(|(person, _)| i64::from(person)));
        self.person_id.append_option(birth.map(|(_, id)| id.to_string()));
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.kind.finish()),
            Arc::new(self.node.finish()),
            Arc::new(self.other.finish()),
            Arc::new(self.id_type.finish()),
            Arc::new(self.id_value.finish()),
            Arc::new(self.person.finish()),
            Arc::new(self.person_id.finish()),
        ];
        Ok(RecordBatch::try_new(IdentityBatch::schema(), columns)?)
    }
}

struct Columns<'a> {
    kind: &'a arrow::array::StringArray,
    node: &'a Int64Array,
    other: &'a Int64Array,
    id_type: &'a arrow::array::StringArray,
    id_value: &'a arrow::array::StringArray,
    person: &'a Int64Array,
    person_id: &'a arrow::array::StringArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
        let number = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
        Some(Self {
            kind: text("kind")?,
            node: number("node")?,
            other: number("other_node")?,
            id_type: text("id_type")?,
            id_value: text("id_value")?,
            person: number("person")?,
            person_id: text("person_id")?,
        })
    }

    fn read_row(&self, types: &IdentifierTypes, row: usize, found: &mut IdentityBatch) -> Result<()> {
        let number = |column: &Int64Array| {
            let value = (!column.is_null(row)).then(|| column.value(row));
            value.and_then(|value| u32::try_from(value).ok()).ok_or_else(|| damaged("numbers"))
        };
        let node = number(self.node)?;
        match self.kind.value(row) {
            "node" => {
                let kind = types.id(self.id_type.value(row)).map_err(|_| damaged("types"))?;
                found.nodes.push((node, kind, self.id_value.value(row).to_owned()));
            }
            "edge" => found.edges.push((node, number(self.other)?)),
            "birth" => {
                let id = self.person_id.value(row).parse().map_err(|_| damaged("person ids"))?;
                found.births.push((node, number(self.person)?, id));
            }
            _ => return Err(damaged("rows")),
        }
        Ok(())
    }
}
