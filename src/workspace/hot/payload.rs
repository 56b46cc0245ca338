//! A part as the payload of a record of the log, and back: sections, each with its length in front of it: loads and batches
//! as JSON, then the tables of identity changes, rows and rejected rows as Arrow IPC streams.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::{Buf, Bytes};

use serde::{Deserialize, Serialize};

use super::{HotBatch, HotPart};
use crate::error::{Error, Result};
use crate::identity::{IdentifierTypes, IdentityBatch};
use crate::store::dead_letters;
use crate::store::events::{LoadRecord, LocalMonths, schema};

#[derive(Serialize)]
struct Head<'p> {
    loads: &'p [LoadRecord],
    /// Their positions count only once the record has one.
    batches: &'p [HotBatch],
}

#[derive(Deserialize)]
struct StoredHead {
    loads: Vec<LoadRecord>,
    batches: Vec<HotBatch>,
}

impl HotPart {
    /// # Errors
    /// `Internal` when a section is larger than 4 GiB.
    pub fn to_payload(&self, types: &IdentifierTypes) -> Result<Vec<u8>> {
        let mut payload = Vec::new();
        let head = Head { loads: &self.loads, batches: &self.batches };
        push_section(&mut payload, &serde_json::to_vec(&head)?)?;
        for table in self.identity.to_tables(types)? {
            match table.num_rows() {
                0 => push_section(&mut payload, &[])?,
                _ => push_section(&mut payload, &stream(&table.schema(), &[table])?)?,
            }
        }
        let stored = self.rows.project(&Vec::from_iter(0..schema::stored().fields().len()))?;
        push_section(&mut payload, &stream(&schema::stored(), &[stored])?)?;
        push_section(&mut payload, &stream(&dead_letters::schema(), &self.dead_letters)?)?;
        Ok(payload)
    }

    /// The part of the record at `position`.
    ///
    /// # Errors
    /// `Corrupt` when the payload is not what [`Self::to_payload`] gives.
    pub fn from_payload(
        position: u64,
        mut payload: Bytes,
        types: &IdentifierTypes,
        months: &mut LocalMonths,
    ) -> Result<Self> {
        let damaged = |what: &str| {
            Error::corrupt(format!("record {position} of the log has damaged {what}: run `convoke check`"))
        };
        let mut section = |what: &str| take_section(&mut payload).ok_or_else(|| damaged(what));
        let head = section("loads")?;
        let mut identity = Vec::new();
        for schema in IdentityBatch::table_schemas() {
            let table = section("identifiers")?;
            if !table.is_empty() {
                identity.extend(batches(table, schema).ok_or_else(|| damaged("identifiers"))?);
            }
        }
        let (rows, letters) = (section("rows")?, section("rejected rows")?);
        let StoredHead { loads, batches: named } = serde_json::from_slice(&head).map_err(|_| damaged("loads"))?;
        let identity = IdentityBatch::from_tables(types, &identity)?;
        let mut rows = batches(rows, &schema::stored()).ok_or_else(|| damaged("rows"))?;
        let rows = rows.pop().filter(|_| rows.is_empty()).ok_or_else(|| damaged("rows"))?;
        let rows = months.with_months(&rows)?;
        let dead_letters = batches(letters, &dead_letters::schema()).ok_or_else(|| damaged("rejected rows"))?;
        // The graph tells when the record is replayed.
        let epoch = 0;
        let mut part = Self { rows, dead_letters, loads, batches: named, identity, epoch, ..Self::default() };
        part.set_position(position);
        Ok(part)
    }
}

fn push_section(payload: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    let length = u32::try_from(bytes.len()).map_err(|_| Error::internal("a record of the log beyond 4 GiB"))?;
    payload.extend_from_slice(&length.to_le_bytes());
    payload.extend_from_slice(bytes);
    Ok(())
}

fn take_section(payload: &mut Bytes) -> Option<Bytes> {
    let length = payload.try_get_u32_le().ok()? as usize;
    (length <= payload.len()).then(|| payload.split_to(length))
}

fn stream(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    Ok(writer.into_inner()?)
}

fn batches(bytes: Bytes, schema: &SchemaRef) -> Option<Vec<RecordBatch>> {
    let reader = StreamReader::try_new(bytes.reader(), None).ok().filter(|reader| reader.schema() == *schema)?;
    reader.collect::<Result<_, _>>().ok()
}
