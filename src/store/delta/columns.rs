//! Columns between Arrow and Delta: what Delta's minimal protocol can hold, and what each other type becomes on its
//! way in (SQL.md 1).

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use deltalake_core::kernel::StructType;
use deltalake_core::kernel::engine::arrow_conversion::{TryIntoArrow, TryIntoKernel};

use crate::error::{Error, Result};

/// Characters that a Parquet column may not have in its name without Delta's column mapping.
const REFUSED_CHARACTERS: [char; 12] = [' ', ',', ';', '{', '}', '(', ')', '=', '\t', '\n', '\r', '\0'];

/// Most columns of a table.
const MAX_COLUMNS: usize = 1_000;

/// Names that begin so are for hidden columns.
const HIDDEN_PREFIX: &str = "__convoke";

/// What names the columns of rows that are to be stored, and so where another name is written.
#[derive(Debug, Clone, Copy)]
pub enum Naming {
    /// A statement, which has AS for it.
    Statement,
    /// The rows themselves, as a client sends them.
    Rows,
}

impl Naming {
    fn remedy(self, name: &str) -> String {
        match self {
            Self::Statement => format!("name it {name} with AS"),
            Self::Rows => format!("rename it in the data that is sent, to {name}"),
        }
    }
}

/// The columns as Delta declares them.
pub(super) fn declared(columns: &Schema) -> Result<StructType> {
    Ok(columns.try_into_kernel()?)
}

/// The columns in which rows of `incoming` columns are stored, exactly as readers of the table get them back.
///
/// # Errors
/// `InvalidInput` for a name or a type that the table cannot hold, with what to write instead.
pub fn storable(incoming: &Schema, naming: Naming) -> Result<SchemaRef> {
    check_names(incoming, naming)?;
    let fields = incoming.fields().iter().map(|field| stored_field(field, field.name())).collect::<Result<Vec<_>>>()?;
    // Delta names the parts of lists and maps in its own way.
    let back: Schema = (&declared(&Schema::new(fields))?).try_into_arrow()?;
    Ok(Arc::new(back))
}

fn check_names(incoming: &Schema, naming: Naming) -> Result<()> {
    if incoming.fields().is_empty() {
        return Err(Error::invalid("a table needs at least one column"));
    }
    if incoming.fields().len() > MAX_COLUMNS {
        return Err(Error::invalid(format!("a table has at most {MAX_COLUMNS} columns")));
    }
    let mut seen = HashSet::new();
    for field in incoming.fields() {
        let name = field.name();
        check_name(name, naming)?;
        if !seen.insert(name.to_lowercase()) {
            let remedy = naming.remedy(&format!("{name}_2"));
            return Err(Error::invalid(format!(
                "two columns are named '{name}' (readers of Delta ignore case): {remedy}"
            )));
        }
    }
    Ok(())
}

fn check_name(name: &str, naming: Naming) -> Result<()> {
    if !name.is_empty() && !name.contains(REFUSED_CHARACTERS) && !name.starts_with(HIDDEN_PREFIX) {
        return Ok(());
    }
    let written = name.escape_debug();
    let remedy = naming.remedy(&fit(name));
    Err(Error::invalid(format!("column '{written}' cannot be stored under this name: {remedy}")))
}

/// A name like this one that can be stored: `count(*)` is `count`, `unit price` is `unit_price`.
fn fit(name: &str) -> String {
    let letters = |c: char| if c.is_alphanumeric() || c == '_' { c } else { ' ' };
    let words: String = name.trim_start_matches(HIDDEN_PREFIX).chars().map(letters).collect();
    let joined = words.split_whitespace().collect::<Vec<_>>().join("_").to_lowercase();
    if joined.is_empty() { "column_1".to_owned() } else { joined }
}

/// `path` is the column with the parts down to this field, for messages.
fn stored_field(field: &Field, path: &str) -> Result<Field> {
    Ok(Field::new(field.name(), stored_type(field.data_type(), path)?, field.is_nullable()))
}

fn stored_child(field: &Field, path: &str) -> Result<Arc<Field>> {
    Ok(Arc::new(stored_field(field, &format!("{path}.{}", field.name()))?))
}

fn stored_type(data_type: &DataType, path: &str) -> Result<DataType> {
    let refused =
        |why: &str| Err(Error::invalid(format!("column '{path}' of type {data_type} cannot be stored: {why}")));
    Ok(match data_type {
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        // A column of which nothing is known but that it is NULL: what PostgreSQL makes of it, too.
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Null => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Dictionary(_, values) => stored_type(values, path)?,
        DataType::RunEndEncoded(_, values) => stored_type(values.data_type(), path)?,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => {
            if *scale < 0 || i16::from(*scale) > i16::from(*precision) {
                return refused("a decimal needs a scale between 0 and its precision: CAST it to DECIMAL(38, 4)");
            }
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(..) => return refused("decimals have at most 38 digits: CAST it to DECIMAL(38, 4)"),
        DataType::Time32(_) | DataType::Time64(_) => {
            return refused("Delta has no time of day: CAST it to TEXT, or store an instant or a number of seconds");
        }
        DataType::Interval(_) | DataType::Duration(_) => {
            return refused(
                "Delta has no intervals: store a number, such as date_part('epoch', x), or CAST it to TEXT",
            );
        }
        DataType::Union(..) => {
            return refused("it holds values of several types: take JSON as text with ->> or CAST it to TEXT");
        }
        DataType::List(child)
        | DataType::LargeList(child)
        | DataType::ListView(child)
        | DataType::LargeListView(child)
        | DataType::FixedSizeList(child, _) => DataType::List(stored_child(child, path)?),
        DataType::Struct(fields) => {
            if fields.is_empty() {
                return refused("a struct needs at least one field");
            }
            DataType::Struct(fields.iter().map(|field| stored_child(field, path)).collect::<Result<Fields>>()?)
        }
        DataType::Map(entries, sorted) => DataType::Map(stored_child(entries, path)?, *sorted),
        plain => plain.clone(),
    })
}

#[cfg(test)]
mod tests;
