//! How a file is read: everything that, besides its bytes, decides which events come out of it.

use chrono_tz::Tz;
use serde::{Serialize, Serializer};

use super::coerce::TimeParser;
use super::field::EventKind;
use super::files::Format;
use super::mapping::Mapping;
use crate::error::{Error, Result};

/// Options of reading. The same bytes read with the same options are the same content (`FileReader::hashes`).
#[derive(Debug, Clone, Serialize)]
pub struct ReadOptions {
    pub mapping: Mapping,
    /// Event name of rows of type track, page and screen that have none.
    pub event: Option<String>,
    /// `source` of rows that have none.
    pub source: Option<String>,
    /// Times without a zone are read in this one.
    #[serde(serialize_with = "zone_name")]
    pub time_zone: Tz,
    /// Type of rows that have none; `None` means track.
    pub kind: Option<EventKind>,
    /// Field separator of CSV; `None` means tab for `.tsv`, else comma.
    pub delimiter: Option<u8>,
    /// How times are written, in chrono's strftime notation; `None` means the usual forms.
    pub ts_format: Option<String>,
}

fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            mapping: Mapping::default(),
            event: None,
            source: None,
            time_zone: Tz::UTC,
            kind: None,
            delimiter: None,
            ts_format: None,
        }
    }
}

impl ReadOptions {
    /// The field separator for a CSV file with this extension.
    pub fn delimiter_for(&self, extension: &str) -> u8 {
        self.delimiter.unwrap_or(if extension == "tsv" { b'\t' } else { b',' })
    }

    pub fn check(&self) -> Result<()> {
        TimeParser::new(self.time_zone, self.ts_format.as_deref())?;
        if let Some(delimiter @ (b'"' | b'\r' | b'\n' | 0x80..)) = self.delimiter {
            return Err(Error::invalid(format!("byte {delimiter} cannot separate fields: use one ASCII character")));
        }
        Ok(())
    }

    /// What of the options changes the events of a file of this format, as text with one spelling for one meaning.
    pub fn meaning(&self, format: Format, delimiter: u8) -> Result<String> {
        let meaning = ReadOptions {
            kind: Some(self.kind.unwrap_or_default()),
            delimiter: (format == Format::Csv).then_some(delimiter),
            ..self.clone()
        };
        Ok(serde_json::to_string(&meaning)?)
    }
}
