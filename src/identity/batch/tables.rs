//! A batch as three tables: nodes, identifier sets, births. A record of the log has them one by one; the open Parquet
//! object has the columns of all, of which each row fills those of one table.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, ListArray, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{filter_record_batch, is_not_null};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit};

use super::{Birth, BirthCause, IdentityBatch};
use crate::error::{Error, RUN_CHECK, Result};
use crate::identity::columns;
use crate::identity::identifier::{IdentifierTypes, TypeId};
use crate::identity::sets::{Origin, OriginIndex, OriginRef, SetFacts};
use crate::ids::Node;

/// Rows of the object that are made at once.
const ROWS_AT_ONCE: usize = 1 << 18;

/// Nodes, identifier sets, births.
type Tables<T> = [T; 3];

/// The schemas of the tables. No two have a column of the same name, and the first column of each is never NULL.
fn schemas() -> &'static Tables<SchemaRef> {
    static SCHEMAS: LazyLock<Tables<SchemaRef>> = LazyLock::new(|| {
        let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
        let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let nodes =
            [field("node", DataType::Int64), field("id_type", DataType::Utf8), field("id_value", DataType::Utf8)];
        let sets = [
            // The main one first.
            field("nodes", DataType::List(Arc::new(element()))),
            field("first_seen", instant()),
            field("last_seen", instant()),
            field("events", DataType::Int64),
            Field::new("source", DataType::Utf8, true),
            field("type", DataType::Utf8),
            Field::new("load", DataType::Int64, true),
        ];
        let births = [
            field("person", DataType::Int64),
            field("person_id", DataType::Utf8),
            field("birth_node", DataType::Int64),
            field("position", DataType::Int64),
            field("cause", DataType::Utf8),
        ];
        let schema = |fields: &[Field]| Arc::new(Schema::new(fields.to_vec()));
        [schema(&nodes), schema(&sets), schema(&births)]
    });
    &SCHEMAS
}

fn element() -> Field {
    Field::new("element", DataType::Int64, false)
}

impl IdentityBatch {
    /// Of the tables, in their order.
    pub fn table_schemas() -> &'static [SchemaRef] {
        schemas()
    }

    /// The columns of the object: those of all tables.
    pub fn schema() -> SchemaRef {
        static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
            let fields = schemas().iter().flat_map(|schema| schema.fields());
            Arc::new(Schema::new(fields.map(|field| field.as_ref().clone().with_nullable(true)).collect::<Vec<_>>()))
        });
        Arc::clone(&SCHEMA)
    }

    /// The tables; `types` are those of the graph that the batch comes from.
    pub fn to_tables(&self, types: &IdentifierTypes) -> Result<Vec<RecordBatch>> {
        let sets = self.set_columns(0..self.sets.len())?;
        let columns = [node_columns(&self.nodes, types), sets, birth_columns(&self.births)];
        let tables = schemas().iter().zip(columns);
        Ok(tables
            .map(|(schema, columns)| RecordBatch::try_new(Arc::clone(schema), columns))
            .collect::<Result<_, _>>()?)
    }

    /// # Errors
    /// `Corrupt` when the tables are not what [`Self::to_tables`] gives.
    pub fn from_tables<'t>(types: &IdentifierTypes, tables: impl IntoIterator<Item = &'t RecordBatch>) -> Result<Self> {
        let mut batch = Self::default();
        let mut origins = OriginIndex::default();
        for table in tables {
            let place = schemas().iter().position(|schema| *schema == table.schema());
            match place {
                Some(0) => batch.read_nodes(types, table)?,
                Some(1) => batch.read_sets(table, &mut origins)?,
                Some(2) => batch.read_births(table)?,
                _ => return Err(damaged("columns")),
            }
        }
        Ok(batch)
    }

    /// The rows of the object, some at a time: a column of texts holds 2 GiB at most.
    pub fn to_record_batches(&self, types: &IdentifierTypes) -> Result<Vec<RecordBatch>> {
        let [of_nodes, of_sets, of_births] = schemas();
        let mut rows = Vec::new();
        for nodes in self.nodes.chunks(ROWS_AT_ONCE) {
            rows.push(widen(of_nodes, node_columns(nodes, types))?);
        }
        for start in (0..self.sets.len()).step_by(ROWS_AT_ONCE) {
            rows.push(widen(of_sets, self.set_columns(start..self.sets.len().min(start + ROWS_AT_ONCE))?)?);
        }
        for births in self.births.chunks(ROWS_AT_ONCE) {
            rows.push(widen(of_births, birth_columns(births))?);
        }
        Ok(rows)
    }

    /// # Errors
    /// `Corrupt` when a row is not what [`Self::to_record_batches`] writes.
    pub fn from_record_batches(types: &IdentifierTypes, batches: &[RecordBatch]) -> Result<Self> {
        let mut tables = Vec::new();
        for batch in batches {
            let mut rows = 0;
            for schema in schemas() {
                let first = batch.column_by_name(schema.field(0).name()).ok_or_else(|| damaged("columns"))?;
                let of_table = filter_record_batch(batch, &is_not_null(first)?)?;
                let column = |field: &Arc<Field>| of_table.column_by_name(field.name()).cloned();
                let columns: Option<Vec<ArrayRef>> = schema.fields().iter().map(column).collect();
                let columns = columns.ok_or_else(|| damaged("columns"))?;
                // NULL where none may be is refused here.
                tables.push(RecordBatch::try_new(Arc::clone(schema), columns).map_err(|_| damaged("rows"))?);
                rows += of_table.num_rows();
            }
            if rows != batch.num_rows() {
                return Err(damaged("rows"));
            }
        }
        Self::from_tables(types, &tables)
    }

    fn set_columns(&self, range: Range<usize>) -> Result<Vec<ArrayRef>> {
        let sets = || self.sets.range(range.clone()).map(|(_, facts)| facts);
        let lengths = self.sets.range(range.clone()).map(|(nodes, _)| nodes.len());
        let nodes = numbers(self.sets.range(range.clone()).flat_map(|(nodes, _)| nodes.iter().copied()));
        let nodes = ListArray::try_new(Arc::new(element()), OffsetBuffer::from_lengths(lengths), nodes, None)?;
        let times = |of: fn(&SetFacts) -> i64| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from_iter_values(sets().map(of)).with_timezone("UTC"))
        };
        let origins: Option<Vec<&Origin>> = sets().map(|facts| self.sets.origin(facts.origin)).collect();
        let origins = origins.ok_or_else(|| Error::internal("an identifier set without its origin"))?;
        Ok(vec![
            Arc::new(nodes),
            times(|facts| facts.first_seen),
            times(|facts| facts.last_seen),
            numbers(sets().map(|facts| facts.events)),
            Arc::new(origins.iter().map(|origin| origin.source.as_deref()).collect::<StringArray>()),
            texts(origins.iter().map(|origin| origin.kind.as_str())),
            Arc::new(origins.iter().map(|origin| origin.load.map(i64::from)).collect::<Int64Array>()),
        ])
    }

    fn read_nodes(&mut self, types: &IdentifierTypes, table: &RecordBatch) -> Result<()> {
        let (nodes, kinds, values) = (number(table, "node")?, text(table, "id_type")?, text(table, "id_value")?);
        for row in 0..table.num_rows() {
            let kind = types.id(kinds.value(row)).map_err(|_| damaged("types"))?;
            self.nodes.push((unsigned(nodes.value(row))?, kind, values.value(row).to_owned()));
        }
        Ok(())
    }

    fn read_sets(&mut self, table: &RecordBatch, known: &mut OriginIndex) -> Result<()> {
        let lists = table.column_by_name("nodes").and_then(|column| column.as_list_opt::<i32>());
        let lists = lists.ok_or_else(|| damaged("columns"))?;
        let (first, last) = (time(table, "first_seen")?, time(table, "last_seen")?);
        let (events, loads) = (number(table, "events")?, number(table, "load")?);
        let (sources, kinds) = (text(table, "source")?, text(table, "type")?);
        let mut nodes: Vec<Node> = Vec::new();
        for row in 0..table.num_rows() {
            let list = lists.value(row);
            let list = list.as_primitive_opt::<Int64Type>().ok_or_else(|| damaged("columns"))?;
            nodes.clear();
            for node in list.values() {
                nodes.push(unsigned(*node)?);
            }
            let load = loads.is_valid(row).then(|| unsigned(loads.value(row))).transpose()?;
            let source = sources.is_valid(row).then(|| sources.value(row));
            let origin = self.sets.origin_id(OriginRef { source, kind: kinds.value(row), load }, known);
            let (first_seen, last_seen) = (first.value(row), last.value(row));
            let facts = SetFacts { origin, first_seen, last_seen, events: unsigned(events.value(row))? };
            if nodes.is_empty() || first_seen > last_seen {
                return Err(damaged("identifier sets"));
            }
            self.sets.push(&nodes, facts)?;
        }
        Ok(())
    }

    fn read_births(&mut self, table: &RecordBatch) -> Result<()> {
        self.births.extend(births_of(table)?);
        Ok(())
    }
}

/// Rows of one table as rows of the object.
fn widen(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    let table = RecordBatch::try_new(Arc::clone(schema), columns)?;
    let column = |field: &Arc<Field>| {
        let own = table.column_by_name(field.name()).cloned();
        own.unwrap_or_else(|| new_null_array(field.data_type(), table.num_rows()))
    };
    let columns = IdentityBatch::schema().fields().iter().map(column).collect();
    Ok(RecordBatch::try_new(IdentityBatch::schema(), columns)?)
}

fn node_columns(nodes: &[(Node, TypeId, String)], types: &IdentifierTypes) -> Vec<ArrayRef> {
    vec![
        numbers(nodes.iter().map(|(node, _, _)| *node)),
        texts(nodes.iter().map(|(_, kind, _)| types.name(*kind))),
        texts(nodes.iter().map(|(_, _, value)| value.as_str())),
    ]
}

/// The columns of births, of their own table as of a checkpoint.
pub(in crate::identity) fn birth_columns(births: &[Birth]) -> Vec<ArrayRef> {
    let positions = births.iter().map(|birth| birth.position as i64);
    vec![
        numbers(births.iter().map(|birth| birth.person)),
        Arc::new(StringArray::from_iter_values(births.iter().map(|birth| birth.person_id.to_string()))),
        numbers(births.iter().map(|birth| birth.node)),
        Arc::new(Int64Array::from_iter_values(positions)),
        texts(births.iter().map(|birth| birth.cause.name())),
    ]
}

/// One person number ever born, merged ones included.
pub fn birth_schema() -> SchemaRef {
    let [_, _, births] = schemas();
    Arc::clone(births)
}

/// The births of a table of [`birth_schema`].
///
/// # Errors
/// `Corrupt` when it is none.
pub(in crate::identity) fn births_of(table: &RecordBatch) -> Result<Vec<Birth>> {
    let (persons, ids) = (number(table, "person")?, text(table, "person_id")?);
    let (nodes, positions) = (number(table, "birth_node")?, number(table, "position")?);
    let causes = text(table, "cause")?;
    let birth = |row: usize| {
        Ok(Birth {
            node: unsigned(nodes.value(row))?,
            person: unsigned(persons.value(row))?,
            person_id: ids.value(row).parse().map_err(|_| damaged("person ids"))?,
            position: u64::try_from(positions.value(row)).map_err(|_| damaged("numbers"))?,
            cause: BirthCause::of(causes.value(row)).ok_or_else(|| damaged("causes of births"))?,
        })
    };
    (0..table.num_rows()).map(birth).collect()
}

fn damaged(what: &str) -> Error {
    Error::corrupt(format!("an identity object has damaged {what}")).with_help(RUN_CHECK)
}

fn numbers(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.map(i64::from)))
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn unsigned(value: i64) -> Result<u32> {
    u32::try_from(value).map_err(|_| damaged("numbers"))
}

fn number<'t>(table: &'t RecordBatch, name: &str) -> Result<&'t Int64Array> {
    columns::number(table, name).ok_or_else(|| damaged("columns"))
}

fn time<'t>(table: &'t RecordBatch, name: &str) -> Result<&'t TimestampMicrosecondArray> {
    columns::time(table, name).ok_or_else(|| damaged("columns"))
}

fn text<'t>(table: &'t RecordBatch, name: &str) -> Result<&'t StringArray> {
    columns::text(table, name).ok_or_else(|| damaged("columns"))
}
