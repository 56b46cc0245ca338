//! Which folders hold Convoke's own data: what lies in them was loaded, or made of what was, or says who may call. Must not
//! know how files are read.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use crate::store::paths::{DELTA_LOG, EVENTS, MANIFEST, TOKENS};

/// Looks at each folder once.
#[derive(Debug, Default)]
pub struct OwnFolders {
    seen: HashMap<PathBuf, bool>,
    /// Files and folders that were asked for and lie in one.
    pub held: usize,
}

impl OwnFolders {
    /// Whether a file or folder is one of them, or lies in one, however deep.
    pub fn hold(&mut self, path: &Path) -> bool {
        // What cannot be resolved is looked at as it is written.
        let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_held = resolved.ancestors().any(|folder| self.is_own(folder));
        self.held += usize::from(is_held);
        is_held
    }

    fn is_own(&mut self, folder: &Path) -> bool {
        if let Some(known) = self.seen.get(folder) {
            return *known;
        }
        let is_own = is_workspace(folder) || is_token_folder(folder);
        self.seen.insert(folder.to_owned(), is_own);
        is_own
    }
}

/// A manifest beside the events, or, where there are none yet, a manifest that is ours: others have files of that name.
fn is_workspace(folder: &Path) -> bool {
    let manifest = folder.join(MANIFEST);
    manifest.is_file() && (folder.join(EVENTS).join(DELTA_LOG).is_dir() || is_manifest(&manifest))
}

/// Whether a file says what each of our manifests does.
fn is_manifest(file: &Path) -> bool {
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(rename = "format")]
        _format: u64,
        #[serde(rename = "id")]
        _id: Uuid,
        #[serde(rename = "time_zone")]
        _time_zone: String,
        #[serde(rename = "created_at")]
        _created_at: IgnoredAny,
    }
    /// Ours are far shorter.
    const MOST_BYTES: u64 = 1 << 20;
    let is_short = fs::metadata(file).is_ok_and(|about| about.len() <= MOST_BYTES);
    is_short && fs::read(file).is_ok_and(|bytes| serde_json::from_slice::<Manifest>(&bytes).is_ok())
}

/// The tokens of a data folder, each named by its hash.
fn is_token_folder(folder: &Path) -> bool {
    let is_token = |file: &Path| {
        let name = file.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".json"));
        name.is_some_and(|hash| blake3::Hash::from_hex(hash).is_ok())
    };
    folder.file_name().is_some_and(|name| name == TOKENS)
        && fs::read_dir(folder)
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| is_token(&entry.path()))))
}

#[cfg(test)]
mod tests;
