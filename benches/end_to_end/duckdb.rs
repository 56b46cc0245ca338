//! DuckDB in its own process: the questions of the demo (`duckdb_peer.py`), or any SQL over an events table
//! (`duckdb_sql_peer.py`).

use std::path::{Path, PathBuf};

use super::answers::{self, Answer};
use super::peer::Peer;

/// Answers the questions of the demo.
pub struct DuckDb {
    peer: Peer,
    answers: PathBuf,
    pub version: String,
}

impl DuckDb {
    /// `None`, with the reason said, where there is no Python with DuckDB. Answers once into `answers`.
    pub fn start(events: &str, nodes: &Path, user: &str, answers: &Path) -> anyhow::Result<Option<Self>> {
        std::fs::create_dir_all(answers)?;
        let arguments = [Path::new(events), nodes, Path::new(user), answers];
        let Some(mut peer) = Peer::with_duckdb("duckdb_peer.py", &arguments)? else { return Ok(None) };
        let version = peer.reply()?;
        Ok(Some(Self { peer, answers: answers.to_owned(), version }))
    }

    /// Milliseconds that question `number` (from 1) took inside of DuckDB's process.
    pub fn time(&mut self, number: usize) -> anyhow::Result<f64> {
        Ok(self.peer.ask(&number.to_string())?.parse()?)
    }

    /// The Parquet file with the answer to question `number`.
    pub fn answer(&self, number: usize) -> PathBuf {
        self.answers.join(format!("{number}.parquet"))
    }
}

/// Runs any statement over the view `events`.
pub struct DuckDbSql {
    pub peer: Peer,
    folder: tempfile::TempDir,
    pub version: String,
}

impl DuckDbSql {
    /// Over the live files of the Delta table `events`. `None`, with the reason said, where there is no DuckDB.
    pub fn start(events: &Path) -> anyhow::Result<Option<Self>> {
        let Some(mut peer) = Peer::with_duckdb("duckdb_sql_peer.py", &[events])? else { return Ok(None) };
        let version = peer.reply()?;
        Ok(Some(Self { peer, folder: tempfile::tempdir()?, version }))
    }

    /// Milliseconds that a statement of one line took inside of DuckDB's process.
    pub fn time(&mut self, sql: &str) -> anyhow::Result<f64> {
        Ok(self.peer.ask(&format!("time {sql}"))?.parse()?)
    }

    pub fn answer(&mut self, sql: &str) -> anyhow::Result<Answer> {
        let file = self.folder.path().join("answer.parquet");
        self.peer.ask(&format!("save {} {sql}", file.display()))?;
        answers::of_file(&file)
    }
}
