//! The graph of one epoch as rows, and back; and the rows that are published for other engines.
//!
//! Rows are made for a range at a time, so that a large graph is never in memory twice. A component is told by its
//! person: every component has a birth, its root is its smallest node.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::IdentityGraph;
use crate::error::{Error, Result};
use crate::identity::batch::{Birth, birth_columns, birth_schema, births_of};
use crate::identity::columns;
use crate::identity::identifier::IdentifierClass;
use crate::identity::snapshot::IdentitySnapshot;
use crate::ids::{Epoch, Node, Person};

#[cfg(test)]
mod tests;

/// One identifier: its node, type and value, and the person of the epoch.
pub fn node_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("node", DataType::Int64, false),
            Field::new("id_type", DataType::Utf8, false),
            Field::new("id_value", DataType::Utf8, false),
            // NULL for one that is nobody's yet: of a load that was not committed.
            Field::new("person", DataType::Int64, true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// What is published: no identifiers, one row a node that is somebody's.
pub fn published_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("node", DataType::Int64, false),
            Field::new("person", DataType::Int64, false),
            Field::new("person_id", DataType::Utf8, false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

impl IdentitySnapshot {
    /// Rows of [`node_schema`] for these nodes.
    pub fn node_rows(&self, nodes: Range<usize>) -> Result<RecordBatch> {
        let mut types = StringBuilder::new();
        let mut values = StringBuilder::new();
        self.show_identifiers(nodes.clone(), |_, name, value| {
            types.append_value(name);
            values.append_value(value);
        });
        let columns: Vec<ArrayRef> = vec![
            numbers(nodes.clone().map(|node| node as u32)),
            Arc::new(types.finish()),
            Arc::new(values.finish()),
            Arc::new(Int64Array::from_iter(nodes.map(|node| self.person_of(node as Node).map(i64::from)))),
        ];
        Ok(RecordBatch::try_new(node_schema(), columns)?)
    }

    /// Rows of [`birth_schema`] for these person numbers.
    pub fn birth_rows(&self, births: Range<usize>) -> Result<RecordBatch> {
        let born: Vec<Birth> = self.born(births).collect();
        Ok(RecordBatch::try_new(birth_schema(), birth_columns(&born))?)
    }

    /// Rows of [`published_schema`] for these nodes.
    pub fn published_rows(&self, nodes: Range<usize>) -> Result<RecordBatch> {
        let id = |person| self.person_id(person).map(|id| id.to_string()).ok_or_else(beyond);
        let person_of = |node| Some((node, self.person_of(node)?));
        let rows: Vec<(Node, Person)> = nodes.filter_map(|node| person_of(node as Node)).collect();
        let ids = rows.iter().map(|(_, person)| id(*person)).collect::<Result<Vec<_>>>()?;
        let columns: Vec<ArrayRef> = vec![
            numbers(rows.iter().map(|(node, _)| *node)),
            numbers(rows.iter().map(|(_, person)| *person)),
            Arc::new(StringArray::from_iter_values(ids)),
        ];
        Ok(RecordBatch::try_new(published_schema(), columns)?)
    }
}

fn numbers(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.map(i64::from)))
}

fn beyond() -> Error {
    Error::internal("rows of a checkpoint beyond its epoch were asked for")
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("an identity checkpoint has damaged {what}"))
}

/// A graph that is put together from the rows of a checkpoint: all births in order, then all nodes in order.
pub struct GraphRestorer {
    graph: IdentityGraph,
    /// Of each person the first node that came, [`NONE`] before: the root of its component.
    roots: Vec<Node>,
}

/// No node has come: there are never so many.
const NONE: Node = Node::MAX;

impl GraphRestorer {
    /// `graph` is empty; `nodes` is how many will come.
    pub fn new(graph: IdentityGraph, nodes: usize) -> Self {
        graph.dictionary.write().reserve(nodes);
        Self { graph, roots: Vec::new() }
    }

    /// # Errors
    /// `Corrupt` when the rows are not those that follow.
    pub fn add_births(&mut self, batch: &RecordBatch) -> Result<()> {
        for birth in births_of(batch)? {
            if birth.person as usize != self.graph.persons.births() {
                return Err(damaged("births"));
            }
            self.graph.persons.push(birth);
            self.roots.push(NONE);
        }
        Ok(())
    }

    /// # Errors
    /// `Corrupt` when the rows are not those that follow.
    pub fn add_nodes(&mut self, batch: &RecordBatch) -> Result<()> {
        let (nodes, persons) = (number_column(batch, "node")?, nullable_column(batch, "person")?);
        let (kinds, values) = (text_column(batch, "id_type")?, text_column(batch, "id_value")?);
        let Self { graph, roots } = self;
        let mut dictionary = graph.dictionary.write();
        for row in 0..batch.num_rows() {
            let kind = graph.types.id(kinds.value(row)).map_err(|_| damaged("types"))?;
            let (node, new) = dictionary.intern(kind, values.value(row))?;
            if !new || nodes.value(row) != i64::from(node) {
                return Err(damaged("nodes"));
            }
            if persons.is_null(row) {
                graph.components.push_unplaced();
                graph.persons.grow(node as usize + 1);
                continue;
            }
            let person = Person::try_from(persons.value(row)).map_err(|_| damaged("persons"))?;
            let root = roots.get_mut(person as usize).ok_or_else(|| damaged("persons"))?;
            if *root == NONE {
                *root = node;
            }
            graph.components.push(*root, person);
            graph.persons.grow(node as usize + 1);
            graph.persons.give(node, person, graph.types.class(kind) == IdentifierClass::Person);
        }
        Ok(())
    }

    pub fn finish(self, epoch: Epoch) -> IdentityGraph {
        IdentityGraph { epoch, ..self.graph }
    }
}

fn nullable_column<'t>(batch: &'t RecordBatch, name: &str) -> Result<&'t Int64Array> {
    columns::number(batch, name).ok_or_else(|| damaged("columns"))
}

fn number_column<'t>(batch: &'t RecordBatch, name: &str) -> Result<&'t Int64Array> {
    nullable_column(batch, name).ok().filter(|column| column.null_count() == 0).ok_or_else(|| damaged("columns"))
}

fn text_column<'t>(batch: &'t RecordBatch, name: &str) -> Result<&'t StringArray> {
    let column = columns::text(batch, name);
    column.filter(|column| column.null_count() == 0).ok_or_else(|| damaged("columns"))
}
