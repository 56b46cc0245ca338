//! Finds the files that a user named, and tells their format by the extension. Opens none of them.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Ndjson,
    Parquet,
}

/// Extensions by format.
const EXTENSIONS: [(&str, Format); 7] = [
    ("csv", Format::Csv),
    ("tsv", Format::Csv),
    ("txt", Format::Csv),
    ("ndjson", Format::Ndjson),
    ("jsonl", Format::Ndjson),
    ("json", Format::Ndjson),
    ("parquet", Format::Parquet),
];

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Parquet => "parquet",
        }
    }

    pub fn of(path: &Path) -> Result<Format> {
        let extension = extension(path);
        EXTENSIONS.iter().find(|(known, _)| *known == extension).map(|(_, format)| *format).ok_or_else(|| {
            let known: Vec<String> = EXTENSIONS.iter().map(|(known, _)| format!(".{known}")).collect();
            Error::invalid(format!("{}: unknown kind of file: known are {}", path.display(), known.join(", ")))
        })
    }
}

/// In lower case, without the point; empty when there is none.
pub fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// All files that the patterns name, sorted, each once.
///
/// A pattern is a file (of any name: opening it tells when it cannot be read), a folder (all files of known
/// extensions under it) or a glob. A pattern without any file is an error.
pub fn expand(patterns: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for pattern in patterns {
        let before = files.len();
        // A file whose name happens to hold `[` or `*` is meant as it is.
        let literal = Path::new(pattern);
        if literal.exists() {
            add(literal, true, &mut files)?;
        } else {
            for path in glob_paths(pattern)? {
                add(&path, false, &mut files)?;
            }
        }
        if files.len() == before {
            return Err(Error::not_found(format!("'{pattern}' names no file that can be loaded")));
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn glob_paths(pattern: &str) -> Result<Vec<PathBuf>> {
    let paths = glob::glob(pattern)
        .map_err(|error| Error::invalid(format!("'{pattern}' is not a pattern: {error}")).with_source(error))?;
    paths
        .map(|path| path.map_err(|error| Error::from(std::io::Error::from(error)).context(format!("'{pattern}'"))))
        .collect()
}

/// Adds a file, or the known files under a folder. `named`: the user wrote this very path, so it is not left out.
fn add(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |error: std::io::Error| Error::from(error).context(path.display());
    if !path.is_dir() {
        if named || Format::of(path).is_ok() {
            files.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // Links to folders are not followed: they could lead in a circle.
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if is_folder || !entry.path().is_dir() {
            add(&entry.path(), false, files)?;
        }
    }
    Ok(())
}
