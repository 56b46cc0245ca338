//! Finds the files that a user named, and tells their format by the extension. Reads none of them.

use std::path::{Path, PathBuf};

use super::own_folders::OwnFolders;
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
            Error::invalid(format!("{}: unknown kind of file: known are {}", path.display(), known_kinds()))
        })
    }
}

/// The extensions for a message.
fn known_kinds() -> String {
    let known: Vec<String> = EXTENSIONS.iter().map(|(known, _)| format!(".{known}")).collect();
    known.join(", ")
}

/// What systems and programs keep beside their files: `.DS_Store`, `_SUCCESS`.
fn is_bookkeeping(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(['.', '_']))
}

/// In lower case, without the point; empty when there is none.
pub fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// What patterns name: sorted, each file once.
#[derive(Debug, Default)]
pub struct FoundFiles {
    pub files: Vec<PathBuf>,
    /// What names none, in the order of the patterns.
    pub missing: Vec<Missing>,
    /// Files beside them of a kind that is not known.
    passed_over: Vec<PathBuf>,
    own: OwnFolders,
}

/// A pattern whose files cannot be found.
#[derive(Debug)]
pub struct Missing {
    pub pattern: PathBuf,
    /// Names the pattern.
    pub reason: Error,
}

impl FoundFiles {
    /// What is to be said of the files that are not loaded.
    pub fn note(&self) -> Option<String> {
        const SHOWN: usize = 5;
        if self.passed_over.is_empty() {
            return None;
        }
        let shown: Vec<String> = self.passed_over.iter().take(SHOWN).map(|path| path.display().to_string()).collect();
        let more = self.passed_over.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let kinds = known_kinds();
        Some(format!("passed over, as files of another kind than {kinds}: {}{more}", shown.join(", ")))
    }

    fn sort(&mut self) {
        for paths in [&mut self.files, &mut self.passed_over] {
            paths.sort();
            paths.dedup();
        }
    }
}

/// All files that the patterns name.
///
/// A pattern is a file (of any name: opening it tells when it cannot be read), a folder (all files of known extensions
/// under it) or a glob. What lies in a workspace of ours, or among our tokens, is left out unless the very file is named.
/// One without any file does not keep the files of the others out: it is among the missing. Where no pattern names a file,
/// that is the error.
pub fn expand(patterns: &[String]) -> Result<FoundFiles> {
    let mut found = FoundFiles::default();
    for pattern in patterns {
        if let Err(reason) = expand_one(pattern, &mut found) {
            found.missing.push(Missing { pattern: PathBuf::from(pattern), reason });
        }
    }
    if found.files.is_empty() && !found.missing.is_empty() {
        return Err(nothing_found(found.missing));
    }
    found.sort();
    Ok(found)
}

/// Adds the files of a pattern, at least one.
fn expand_one(pattern: &str, found: &mut FoundFiles) -> Result<()> {
    let (before, others, own) = (found.files.len(), found.passed_over.len(), found.own.held);
    // A file whose name happens to hold `[` or `*` is meant as it is.
    let literal = Path::new(pattern);
    if literal.exists() {
        add(literal, true, found)?;
    } else {
        for path in glob_paths(pattern)? {
            add(&path, false, found)?;
        }
    }
    if found.files.len() > before {
        return Ok(());
    }
    let has_others = found.passed_over.len() > others;
    let why = match (has_others, found.own.held > own) {
        (true, _) => format!(": known are {}", known_kinds()),
        (false, true) => ": what Convoke keeps in a data folder is left out, unless each file is named".to_owned(),
        (false, false) => String::new(),
    };
    Err(Error::not_found(format!("'{pattern}' names no file that can be loaded{why}")))
}

/// The reason of the only pattern, or all reasons in one.
fn nothing_found(missing: Vec<Missing>) -> Error {
    let reasons: Vec<Error> = missing.into_iter().map(|missing| missing.reason).collect();
    match <[Error; 1]>::try_from(reasons) {
        Ok([only]) => only,
        Err(several) => Error::not_found(several.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

fn glob_paths(pattern: &str) -> Result<Vec<PathBuf>> {
    let paths = glob::glob(pattern)
        .map_err(|error| Error::invalid(format!("'{pattern}' is not a pattern: {error}")).with_source(error))?;
    paths
        .map(|path| path.map_err(|error| Error::from(std::io::Error::from(error)).context(format!("'{pattern}'"))))
        .collect()
}

/// Adds a file, or the files under a folder. `named`: the user wrote this very path, so it is not left out.
fn add(path: &Path, named: bool, found: &mut FoundFiles) -> Result<()> {
    let unreadable = |error: std::io::Error| Error::from(error).context(path.display());
    let is_folder = path.is_dir();
    if (is_folder || !named) && found.own.hold(path) {
        return Ok(());
    }
    if !is_folder {
        if named || Format::of(path).is_ok() {
            found.files.push(path.to_owned());
        } else if !is_bookkeeping(path) {
            found.passed_over.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // Links to folders are not followed: they could lead in a circle.
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if is_folder || !entry.path().is_dir() {
            add(&entry.path(), false, found)?;
        }
    }
    Ok(())
}
