//! One side of a comparison: a [`Peer`] that says its name and version first.
//!
//! `rows SQL` asks for the answer, `time SQL` for milliseconds until it is complete.

use std::ffi::OsStr;
use std::path::Path;

use super::peer::Peer;

pub struct Side {
    pub name: String,
    pub peer: Peer,
}

impl Side {
    pub fn start(program: &Path, arguments: &[&OsStr]) -> anyhow::Result<Self> {
        let mut peer = Peer::start(program, arguments)?;
        Ok(Self { name: peer.reply()?, peer })
    }

    pub fn rows(&mut self, sql: &str) -> anyhow::Result<String> {
        self.peer.ask(&format!("rows {}", one_line(sql)))
    }

    pub fn milliseconds(&mut self, sql: &str) -> anyhow::Result<f64> {
        Ok(self.peer.ask(&format!("time {}", one_line(sql)))?.parse()?)
    }
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
