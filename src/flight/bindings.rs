//! Parameters of prepared statements: as rows, as bytes in a handle, and remembered for clients that are too old to
//! take the handle that binding gives back. Must not know the statement.

use std::collections::HashMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use datafusion::common::{Result as DfResult, ScalarValue};
use parking_lot::Mutex;

use super::ticket::QueryId;
use crate::error::{Error, Result};

/// Largest set of bound parameters: they travel in the handle and in the ticket.
const MAX_BOUND_BYTES: usize = 2 * 1024 * 1024;
/// Statements whose parameters are remembered, and the bytes they may take together.
const MAX_REMEMBERED: usize = 1024;
const MAX_REMEMBERED_BYTES: usize = 64 * 1024 * 1024;

/// Rows of parameters as bytes; none for no rows.
pub(super) fn encode(rows: &[RecordBatch]) -> Result<Bytes> {
    let Some(first) = rows.first() else { return Ok(Bytes::new()) };
    let mut writer = StreamWriter::try_new(Vec::new(), first.schema_ref())?;
    for batch in rows {
        writer.write(batch)?;
    }
    let bytes = writer.into_inner()?;
    if bytes.len() > MAX_BOUND_BYTES {
        return Err(Error::invalid(format!(
            "the parameters take {} bytes, at most {MAX_BOUND_BYTES} are accepted: put large values into a table",
            bytes.len()
        )));
    }
    Ok(Bytes::from(bytes))
}

/// The rows in bytes that [`encode`] made; none for empty bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Vec<ScalarValue>>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for batch in StreamReader::try_new(bytes, None)? {
        rows.extend(values(&batch?)?);
    }
    Ok(rows)
}

/// The values of each row.
pub(super) fn values(batch: &RecordBatch) -> Result<Vec<Vec<ScalarValue>>> {
    let value = |column: &ArrayRef, row| Ok(held_by(ScalarValue::try_from_array(column, row)?));
    let row = |row| batch.columns().iter().map(|column| value(column, row)).collect::<DfResult<_>>();
    Ok((0..batch.num_rows()).map(row).collect::<DfResult<_>>()?)
}

/// Some clients send each value as a union of all types that they know: what counts is the value in it.
fn held_by(value: ScalarValue) -> ScalarValue {
    match value {
        ScalarValue::Union(Some((_, held)), _, _) => held_by(*held),
        ScalarValue::Union(None, _, _) => ScalarValue::Null,
        value => value,
    }
}

#[derive(Default)]
struct Remembered {
    by_statement: HashMap<QueryId, (Bytes, u64)>,
    bytes: usize,
    clock: u64,
}

/// The last parameters bound to each statement; the least used give way.
#[derive(Default)]
pub(super) struct Bindings {
    remembered: Mutex<Remembered>,
}

impl Bindings {
    pub(super) fn remember(&self, statement: QueryId, parameters: Bytes) {
        let mut remembered = self.remembered.lock();
        remembered.forget(statement);
        remembered.clock += 1;
        let clock = remembered.clock;
        remembered.bytes += parameters.len();
        remembered.by_statement.insert(statement, (parameters, clock));
        while remembered.by_statement.len() > MAX_REMEMBERED || remembered.bytes > MAX_REMEMBERED_BYTES {
            let Some(oldest) = remembered.oldest() else { break };
            remembered.forget(oldest);
        }
    }

    pub(super) fn recall(&self, statement: QueryId) -> Option<Bytes> {
        let mut remembered = self.remembered.lock();
        remembered.clock += 1;
        let clock = remembered.clock;
        let (parameters, used) = remembered.by_statement.get_mut(&statement)?;
        *used = clock;
        Some(parameters.clone())
    }

    pub(super) fn forget(&self, statement: QueryId) {
        self.remembered.lock().forget(statement);
    }
}

impl Remembered {
    fn forget(&mut self, statement: QueryId) {
        if let Some((parameters, _)) = self.by_statement.remove(&statement) {
            self.bytes -= parameters.len();
        }
    }

    fn oldest(&self) -> Option<QueryId> {
        self.by_statement.iter().min_by_key(|(_, (_, used))| *used).map(|(statement, _)| *statement)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray, UnionArray};
    use arrow::buffer::ScalarBuffer;
    use arrow::datatypes::{DataType, Field, UnionFields};

    use super::*;

    #[test]
    fn rows_survive_the_handle() {
        let columns: [(&str, ArrayRef); 2] = [
            ("0", Arc::new(Int64Array::from(vec![7, 8]))),
            ("1", Arc::new(StringArray::from(vec![None::<&str>, Some("b")]))),
        ];
        let rows = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap();
        let values = decode(&encode(&[rows.slice(0, 1), rows.slice(1, 1)]).unwrap()).unwrap();
        let expected = [
            vec![ScalarValue::Int64(Some(7)), ScalarValue::Utf8(None)],
            vec![ScalarValue::Int64(Some(8)), ScalarValue::Utf8(Some("b".into()))],
        ];
        assert_eq!(values, expected);
        assert!(decode(&encode(&[]).unwrap()).unwrap().is_empty());
        assert!(decode(b"nonsense").is_err());
    }

    #[test]
    fn a_union_stands_for_the_value_in_it() {
        let fields = UnionFields::try_new(
            [0, 1],
            [Field::new("string", DataType::Utf8, true), Field::new("int", DataType::Int64, true)],
        );
        let children: Vec<ArrayRef> =
            vec![Arc::new(StringArray::from(vec!["a"])), Arc::new(Int64Array::from(vec![Some(5), None]))];
        let (types, offsets) = (ScalarBuffer::from(vec![1_i8, 0, 1]), ScalarBuffer::from(vec![0, 0, 1]));
        let union: ArrayRef = Arc::new(UnionArray::try_new(fields.unwrap(), types, Some(offsets), children).unwrap());
        let rows = RecordBatch::try_from_iter([("0", union)]).unwrap();
        let values = decode(&encode(&[rows]).unwrap()).unwrap();
        let expected = [ScalarValue::Int64(Some(5)), ScalarValue::Utf8(Some("a".into())), ScalarValue::Int64(None)];
        assert_eq!(values, expected.map(|value| vec![value]));
    }

    #[test]
    fn the_least_used_parameters_give_way() {
        let bindings = Bindings::default();
        let id = |number: u64| {
            let mut id = QueryId::default();
            id[..8].copy_from_slice(&number.to_le_bytes());
            id
        };
        for number in 0..MAX_REMEMBERED as u64 {
            bindings.remember(id(number), Bytes::from_static(b"x"));
        }
        assert!(bindings.recall(id(0)).is_some());
        bindings.remember(id(5000), Bytes::from_static(b"x"));
        assert!(bindings.recall(id(0)).is_some());
        assert!(bindings.recall(id(1)).is_none());
        bindings.remember(id(6000), Bytes::from(vec![0; MAX_REMEMBERED_BYTES]));
        assert!(bindings.recall(id(0)).is_none());
        assert!(bindings.recall(id(6000)).is_some());
        bindings.forget(id(6000));
        assert!(bindings.recall(id(6000)).is_none());
    }
}
