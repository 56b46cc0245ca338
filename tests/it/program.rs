//! The program as a process of its own: its commands over a data folder, and a server that can be killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use arrow_flight::sql::client::FlightSqlServiceClient;
use tonic::transport::{Channel, Endpoint};

/// `convoke ARGUMENTS` over a folder.
pub fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
    command.args(arguments).arg("--data").arg(data);
    command
}

/// What a command that must not fail says on standard output.
pub fn said(data: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = command(data, arguments).output().unwrap();
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The rows of a statement that reads the folder itself, their columns joined by a blank. No value may hold a comma.
pub fn rows_in_folder(data: &Path, sql: &str) -> Vec<String> {
    let text = said(data, &["sql", sql, "--format", "csv"]);
    text.lines().skip(1).map(|line| line.replace(',', " ")).collect()
}

/// Of role admin, or bound to a source.
pub fn token(data: &Path, source: Option<&str>) -> String {
    let token = match source {
        None => said(data, &["token", "create", "--role", "admin"]),
        Some(source) => said(data, &["token", "create", "--role", "ingest", "--source", source]),
    };
    token.trim().to_owned()
}

/// Arguments of a server on a port that is free.
const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// A server in a process of its own, which its drop kills (SIGKILL): only a power cut takes more.
pub struct Process {
    child: Child,
    address: String,
    /// Held, so that the server may go on writing.
    _output: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// With environment variables of its own.
    pub fn start_with(data: &Path, environment: &[(&str, &Path)]) -> Self {
        let mut command = command(data, &SERVE);
        command.envs(environment.iter().copied());
        Self::run(command)
    }

    /// With a limit of open files that the process may raise by itself.
    pub fn start_with_few_files(data: &Path, files: u32) -> Self {
        let serve = command(data, &SERVE);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -Sn {files} && exec \"$0\" \"$@\"")]);
        command.arg(serve.get_program()).args(serve.get_args());
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        // One that is told to stop does so at once.
        command.env("CONVOKE_LOG", "error").env("CONVOKE_SERVER_STOP_SECONDS", "0");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.split_whitespace().last().unwrap_or_default().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "the server does not start, it says '{line}'");
        Self { child, address, _output: output }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As it says it itself, with the scheme.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub async fn channel(&self) -> Channel {
        Endpoint::from_shared(self.address.clone()).unwrap().connect().await.unwrap()
    }

    pub async fn client(&self, token: &str) -> FlightSqlServiceClient<Channel> {
        let mut client = FlightSqlServiceClient::new(self.channel().await);
        client.set_token(token.to_owned());
        client
    }

    /// Tells it to stop (SIGTERM).
    pub fn terminate(&self) {
        let told = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status().unwrap();
        assert!(told.success());
    }

    /// Tells it to stop and waits until it has: with which status.
    pub fn stop(mut self) -> ExitStatus {
        self.terminate();
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
