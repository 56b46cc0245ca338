//! What a table asks of those who read and write it. Other programs may raise that; this one is a reader of version 1 and
//! a writer of version 2, and whatever asks for more is refused before a row is read or written wrongly.
//!
//! Versions and features: PROTOCOL.md of github.com/delta-io/delta, "Protocol Evolution", "Table Features", "Deletion
//! Vectors".

use std::fmt::Display;

use deltalake_core::kernel::Protocol;
use deltalake_core::table::state::DeltaTableState;

use crate::error::{Error, Result};

const READER_VERSION: i32 = 1;
const WRITER_VERSION: i32 = 2;

/// Features that a writer of version 2 has.
const WRITER_FEATURES: [&str; 2] = ["appendOnly", "invariants"];

/// What helps where another program asked for too much.
const TAKE_BACK: &str = "take that change back with the program that made it, by RESTORE of the version before (with \
                             delta-rs: `DeltaTable(...).restore(VERSION, protocol_downgrade_allowed=True)`)";

/// # Errors
/// `Corrupt` for a table that only later readers understand.
pub(super) fn check_readable(label: &str, protocol: &Protocol) -> Result<()> {
    let (version, features) = (protocol.min_reader_version(), names(protocol.reader_features()));
    if version <= READER_VERSION && features.is_empty() {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "{label} asks for readers of version {version}{}, since a change by another program; convoke is one of version \
         {READER_VERSION}",
        with(&features)
    ))
    .with_help(TAKE_BACK))
}

/// # Errors
/// `Corrupt` where a file has rows that count no more, and only a bitmap beside it tells which.
pub(super) fn check_files(label: &str, state: &DeltaTableState) -> Result<()> {
    match state.log_data().iter().find(|file| file.deletion_vector_descriptor().is_some()) {
        None => Ok(()),
        Some(file) => Err(Error::corrupt(format!(
            "file '{}' of {label} has a deletion vector, since a change by another program; convoke reads none",
            file.path()
        ))
        .with_help(TAKE_BACK)),
    }
}

/// # Errors
/// `Corrupt` for a table whose rules this writer does not know.
pub(super) fn check_writable(label: &str, protocol: &Protocol) -> Result<()> {
    let (version, mut features) = (protocol.min_writer_version(), names(protocol.writer_features()));
    features.retain(|feature| !WRITER_FEATURES.contains(&feature.as_str()));
    if version <= WRITER_VERSION && features.is_empty() {
        return Ok(());
    }
    Err(Error::corrupt(format!(
        "{label} asks for writers of version {version}{}, since a change by another program, such as a constraint; \
         convoke is one of version {WRITER_VERSION} and writes nothing to it",
        with(&features)
    ))
    .with_help(TAKE_BACK))
}

fn names<F: Display>(features: Option<&[F]>) -> Vec<String> {
    features.unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn with(features: &[String]) -> String {
    if features.is_empty() { String::new() } else { format!(" with {}", features.join(", ")) }
}
