//! The `convoke` program itself, as users run it: commands over a folder, and a server in a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use anyhow::Context;

use super::memory;

fn convoke() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
    command.stdin(Stdio::null());
    command
}

/// Runs a command; what it says on standard error is shown as it comes.
pub fn run<I: IntoIterator<Item: AsRef<std::ffi::OsStr>>>(arguments: I) -> anyhow::Result<Output> {
    let mut command = convoke();
    let output = command.args(arguments).stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(output)
}

/// Is there such a command?
pub fn has(command: &str) -> bool {
    let status = convoke().args([command, "--help"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// `convoke serve`, until dropped.
pub struct Server {
    process: Child,
    pub address: String,
    pub token: String,
}

impl Server {
    pub fn start(data: &Path) -> anyhow::Result<Self> {
        let name = data.to_str().context("the folder's name is not UTF-8")?;
        let token = run(["token", "create", "--data", name, "--role", "analyst"])?.stdout;
        Self::with_token(data, String::from_utf8(token)?.trim().to_owned())
    }

    /// Over a folder for which the token was made before.
    pub fn with_token(data: &Path, token: String) -> anyhow::Result<Self> {
        let data = data.to_str().context("the folder's name is not UTF-8")?;
        let mut server = convoke();
        // Without the line that every request gets.
        server.args(["serve", "--data", data, "--listen", "127.0.0.1:0"]).env("CONVOKE_LOG", "warn");
        let mut process = server.stdout(Stdio::piped()).spawn()?;
        let said = process.stdout.take().context("no pipe from the server")?;
        let mut lines = BufReader::new(said).lines();
        let address = loop {
            let line = lines.next().context("the server ended, see its message above")??;
            if let Some((_, address)) = line.split_once("listening on ") {
                break address.trim().to_owned();
            }
        };
        // Or the server would wait for a reader of its standard output one day.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { process, address, token })
    }

    pub fn forget_peak_memory(&self) {
        memory::forget_peak(self.process.id());
    }

    /// Megabytes; NaN where the system does not tell.
    pub fn peak_memory(&self) -> f64 {
        memory::peak(self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The folder is a copy or only read: nothing is lost. An error means that it is gone already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
