//! A part as the payload of a record of the log, and back: sections, each with its length in front of it: loads and batches
//! as JSON, then the tables of identity changes, rows and rejected rows as Arrow IPC streams.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::{Buf, Bytes};

use serde::{Deserialize, Serialize};

use super::{HotBatch, HotPart};
use crate::error::{Error, RUN_CHECK, Result};
use crate::identity::{IdentifierTypes, IdentityBatch};
use crate::store::dead_letters;
use crate::store::events::{LoadRecord, LocalMonths, batch_bytes, schema};

/// In front of each section.
const LENGTH_BYTES: usize = size_of::<u32>();

/// About what the schemas of all tables take.
const SCHEMA_BYTES: usize = 16 << 10;

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
        let tables = self.identity.to_tables(types)?;
        // A payload of megabytes that grows as it is written is copied as often, into memory that is new each time.
        let bytes: usize = tables.iter().chain([&self.rows]).chain(&self.dead_letters).map(batch_bytes).sum();
        let mut payload = Vec::with_capacity(bytes + bytes / 8 + SCHEMA_BYTES);
        let head = Head { loads: &self.loads, batches: &self.batches };
        push_section(&mut payload, |section| Ok(serde_json::to_writer(section, &head)?))?;
        for table in tables {
            match table.num_rows() {
                0 => push_section(&mut payload, |_| Ok(()))?,
                _ => push_section(&mut payload, |section| write_stream(section, &table.schema(), &[table]))?,
            }
        }
        let stored = self.rows.project(&Vec::from_iter(0..schema::stored().fields().len()))?;
        push_section(&mut payload, |section| write_stream(section, &schema::stored(), &[stored]))?;
        push_section(&mut payload, |section| write_stream(section, &dead_letters::schema(), &self.dead_letters))?;
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
            Error::corrupt(format!("record {position} of the log has damaged {what}")).with_help(RUN_CHECK)
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

/// Writes a section behind its length.
fn push_section(payload: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let start = payload.len() + LENGTH_BYTES;
    payload.extend_from_slice(&[0; LENGTH_BYTES]);
    write(payload)?;
    let length = payload.len() - start;
    let length = u32::try_from(length).map_err(|_| Error::internal("a record of the log beyond 4 GiB"))?;
    payload[start - LENGTH_BYTES..start].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn take_section(payload: &mut Bytes) -> Option<Bytes> {
    let length = payload.try_get_u32_le().ok()? as usize;
    (length <= payload.len()).then(|| payload.split_to(length))
}

fn write_stream(section: &mut Vec<u8>, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
    let mut writer = StreamWriter::try_new(section, schema)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    Ok(writer.finish()?)
}

fn batches(bytes: Bytes, schema: &SchemaRef) -> Option<Vec<RecordBatch>> {
    let reader = StreamReader::try_new(bytes.reader(), None).ok().filter(|reader| reader.schema() == *schema)?;
    reader.collect::<Result<_, _>>().ok()
}
