//! A program to compare with, as a Python subprocess: a request is one line, and so is the reply.

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
    /// Starts `benches/<script>`. `None`, with the reason said, where there is no Python that has DuckDB and pyarrow.
    pub fn start<A: AsRef<OsStr>>(script: &str, arguments: &[A]) -> anyhow::Result<Option<Self>> {
        let Some(python) = python() else {
            eprintln!("no Python with DuckDB: run tests/run once, or set CONVOKE_DUCKDB_PYTHON; not compared");
            return Ok(None);
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(script);
        let mut process = Command::new(&python)
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| python.display().to_string())?;
        let requests = process.stdin.take().context("no pipe to the peer")?;
        let replies = BufReader::new(process.stdout.take().context("no pipe from the peer")?);
        Ok(Some(Self { process, requests, replies }))
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

/// The Python named by the user, or else the one that `tests/run` made.
fn python() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CONVOKE_DUCKDB_PYTHON") {
        return Some(named.into());
    }
    let pattern = cache()?.join("tests/venv-requirements-*/bin/python");
    let found = glob::glob(pattern.to_str()?).ok()?.flatten();
    found.filter(|python| has_duckdb(python)).last()
}

/// Convoke's folder in the user's cache.
pub fn cache() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("convoke"))
}

fn has_duckdb(python: &Path) -> bool {
    let probe = Command::new(python).args(["-c", "import duckdb"]).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}
