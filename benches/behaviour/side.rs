//! One side of a comparison: a process of its own that answers one line with one line, so that its memory is its own.
//!
//! `rows SQL` asks for the answer, `time SQL` for milliseconds until it is complete.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;

use super::memory;

pub struct Side {
    pub name: String,
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl Side {
    /// Starts a program, which says its name and version first.
    pub fn start(program: &OsStr, arguments: &[&OsStr]) -> anyhow::Result<Self> {
        let command = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut process = command.with_context(|| program.display().to_string())?;
        let requests = process.stdin.take().context("no pipe to the process")?;
        let replies = BufReader::new(process.stdout.take().context("no pipe from the process")?);
        let mut side = Self { name: String::new(), process, requests, replies };
        side.name = side.reply()?;
        Ok(side)
    }

    pub fn rows(&mut self, sql: &str) -> anyhow::Result<String> {
        self.ask("rows", sql)
    }

    pub fn milliseconds(&mut self, sql: &str) -> anyhow::Result<f64> {
        Ok(self.ask("time", sql)?.parse()?)
    }

    fn ask(&mut self, what: &str, sql: &str) -> anyhow::Result<String> {
        writeln!(self.requests, "{what} {}", sql.split_whitespace().collect::<Vec<_>>().join(" "))?;
        self.requests.flush()?;
        self.reply()
    }

    fn reply(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.replies.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "{} ended, see its message above", self.name);
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

impl Drop for Side {
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

/// The Python named by a variable, or one that `tests/run` made, if it has the modules.
pub fn python(variable: &str, modules: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        return Some(named.into());
    }
    let folders = std::fs::read_dir(cache().ok()?.join("tests")).ok()?.flatten();
    let mut pythons = folders.map(|folder| folder.path().join("bin/python")).filter(|python| python.exists());
    pythons.find(|python| has(python, modules))
}

fn has(python: &Path, modules: &str) -> bool {
    let probe = Command::new(python).args(["-c", &format!("import {modules}")]).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// A script beside the benches.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches").join(name)
}
