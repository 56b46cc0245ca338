//! DuckDB as a subprocess: `duckdb_peer.py` in a Python that has the duckdb module.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;

pub struct DuckDb {
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    answers: PathBuf,
    pub version: String,
}

impl DuckDb {
    /// `None`, with the reason said, where there is no Python with DuckDB. Answers once into `answers`.
    pub fn start(events: &str, nodes: &Path, user: &str, answers: &Path) -> anyhow::Result<Option<Self>> {
        let Some(python) = python() else {
            eprintln!("no Python with DuckDB: run tests/run once, or set CONVOKE_DUCKDB_PYTHON; not compared");
            return Ok(None);
        };
        std::fs::create_dir_all(answers)?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/duckdb_peer.py");
        let mut process = Command::new(&python)
            .arg(script)
            .arg(events)
            .args([nodes, Path::new(user), answers])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| python.display().to_string())?;
        let requests = process.stdin.take().context("no pipe to DuckDB")?;
        let replies = BufReader::new(process.stdout.take().context("no pipe from DuckDB")?);
        let mut peer = Self { process, requests, replies, answers: answers.to_owned(), version: String::new() };
        peer.version = peer.reply()?;
        Ok(Some(peer))
    }

    /// Milliseconds that question `number` (from 1) took inside of DuckDB's process.
    pub fn time(&mut self, number: usize) -> anyhow::Result<f64> {
        writeln!(self.requests, "{number}")?;
        self.requests.flush()?;
        Ok(self.reply()?.parse()?)
    }

    /// The Parquet file with the answer to question `number`.
    pub fn answer(&self, number: usize) -> PathBuf {
        self.answers.join(format!("{number}.parquet"))
    }

    fn reply(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.replies.read_line(&mut line)?;
        anyhow::ensure!(!line.is_empty(), "DuckDB's process ended, see its message above");
        Ok(line.trim().to_owned())
    }
}

impl Drop for DuckDb {
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
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let pattern = cache.join("convoke/tests/venv-requirements-*/bin/python");
    let found = glob::glob(pattern.to_str()?).ok()?.flatten();
    found.filter(|python| has_duckdb(python)).last()
}

fn has_duckdb(python: &Path) -> bool {
    let probe = Command::new(python).args(["-c", "import duckdb"]).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}
