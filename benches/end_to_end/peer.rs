//! A program to compare with, in a process of its own, so that its memory is its own: a request is one line, and so is the
//! reply.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;

use super::memory;

pub struct Peer {
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Peer {
    pub fn start(program: &Path, arguments: &[&OsStr]) -> anyhow::Result<Self> {
        let command = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = command.with_context(|| program.display().to_string())?;
        let requests = process.stdin.take().context("no pipe to the peer")?;
        let replies = BufReader::new(process.stdout.take().context("no pipe from the peer")?);
        Ok(Self { process, requests, replies })
    }

    /// Runs `benches/<script>`. `None`, with what to do said, where there is no Python with DuckDB and pyarrow.
    pub fn with_duckdb<A: AsRef<OsStr>>(script_name: &str, arguments: &[A]) -> anyhow::Result<Option<Self>> {
        let Some(python) = python("CONVOKE_DUCKDB_PYTHON", "duckdb, pyarrow") else { return Ok(None) };
        let script = script(script_name);
        let arguments: Vec<&OsStr> =
            std::iter::once(script.as_os_str()).chain(arguments.iter().map(AsRef::as_ref)).collect();
        Self::start(&python, &arguments).map(Some)
    }

    pub fn ask(&mut self, request: &str) -> anyhow::Result<String> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        self.reply()
    }

    /// The next line, which the peer may also say by itself.
    pub fn reply(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.replies.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "the peer's process ended, see its message above");
        Ok(line.trim().to_owned())
    }

    pub fn forget_peak_memory(&self) {
        memory::forget_peak(self.process.id());
    }

    /// Megabytes; NaN where the system does not tell.
    pub fn peak_memory(&self) -> f64 {
        memory::peak(self.process.id())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends by itself when its input does; an error means that it is gone already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Convoke's folder in the user's cache.
pub fn cache() -> anyhow::Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    Ok(cache.or_else(home).context("neither XDG_CACHE_HOME nor HOME is set")?.join("convoke"))
}

/// The Python named by a variable, or one that `tests/run` made, if it has the modules. `None`, with what to do said.
pub fn python(variable: &str, modules: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(named.into());
    }
    let folders = std::fs::read_dir(cache().ok()?.join("tests")).into_iter().flatten().flatten();
    let mut pythons: Vec<PathBuf> = folders.map(|folder| folder.path().join("bin/python")).collect();
    // The newest first: older ones are of former requirements.
    let made = |python: &PathBuf| std::fs::symlink_metadata(python).and_then(|data| data.modified()).ok();
    pythons.sort_by_key(|python| std::cmp::Reverse(made(python)));
    let found = pythons.into_iter().find(|python| python.exists() && has(python, modules));
    if found.is_none() {
        eprintln!("no Python with {modules}: run tests/run once, or set {variable}; not compared");
    }
    found
}

fn has(python: &Path, modules: &str) -> bool {
    let probe = Command::new(python).args(["-c", &format!("import {modules}")]).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// A script beside the benches, which belong to two packages.
pub fn script(name: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = package.ancestors().map(|folder| folder.join("benches"));
    folders.find(|folder| folder.is_dir()).unwrap_or_default().join(name)
}
