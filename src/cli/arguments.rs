//! What can be written on the command line, with help and an example for each command.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::ids::{DEFAULT_WORKSPACE, WorkspaceName};
use crate::ingest::read::{EventKind, Mapping};
use crate::settings::Bytes;

mod identity;
mod spaces;

pub(super) use self::identity::{IdentityCommand, IdentityRulesArguments};
pub(super) use self::spaces::{
    CreateWorkspaceArguments, DropWorkspaceArguments, ImportArguments, ImportCommand, ListArguments, RootArguments,
    SetWorkspaceArguments, TokenArguments, TokenCommand, TokenListArguments, TokenRevokeArguments, WorkspaceCommand,
};

/// Where data lies unless --data says otherwise.
const DEFAULT_DATA: &str = "./convoke-data";

/// Where the demo's data lies: apart, so that its synthetic events never stand beside real ones.
const DEMO_DATA: &str = "./convoke-demo";

#[derive(Debug, Parser)]
#[command(
    name = "convoke",
    version,
    about = "Events, persons and audiences of a retailer, behind one SQL endpoint",
    after_help = "Start with:\n  convoke demo\n\nLogs: CONVOKE_LOG=debug convoke serve"
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve SQL over Arrow Flight (and /healthz, /readyz, /metrics) until stopped
    #[command(
        after_help = "Example:\n  convoke token create --data ./shop --role analyst\n  convoke serve --data ./shop --listen 127.0.0.1:8815\n  convoke serve --data ./shop --listen 0.0.0.0:8815 \\\n      --tls-cert server.pem --tls-key server.key\n\nOver HTTP on the same port: /healthz (it runs), /readyz (it wants requests; if not, why), /metrics (Prometheus)"
    )]
    Serve(ServeArguments),
    /// Load events from CSV, NDJSON or Parquet files
    #[command(after_help = INGEST_EXAMPLES)]
    Ingest(IngestArguments),
    /// Run SQL: one statement, a file, standard input, or a prompt on a terminal
    #[command(
        after_help = "Examples:\n  convoke sql \"SELECT count(*) FROM events\" --data ./shop\n  convoke sql \"SELECT * FROM orders LIMIT 5\" --connect http://127.0.0.1:8815 \\\n      --token \"$TOKEN\" --format csv\n  convoke sql --data ./shop      (a prompt: history, completion, \\? helps)\n  convoke sql -f report.sql --data ./shop"
    )]
    Sql(SqlArguments),
    /// Load a synthetic shop, serve it, and run five queries over it
    #[command(
        after_help = "Examples:\n  convoke demo\n  convoke demo --data /tmp/shop --persons 2000 --exit\n\nIts folder is its own: the demo refuses one that holds other data, and `convoke ingest` refuses the demo's. Ask it by `convoke sql --data ./convoke-demo`, or remove it when done."
    )]
    Demo(DemoArguments),
    /// Write the state of the identities, and publish the table of persons for other engines
    #[command(after_help = CHECKPOINT_EXAMPLE)]
    Checkpoint(CheckpointArguments),
    /// Make, list, set and drop workspaces
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Show and change the rules by which identifiers become persons
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Import reference tables: names of days, exchange rates
    #[command(subcommand)]
    Import(ImportCommand),
    /// Make, list and revoke access tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Sort each month's events by person and time, and join small files
    #[command(
        after_help = "Examples:\n  convoke compact --data ./shop\n  convoke compact --data ./shop --vacuum\n\nMonths that are one sorted run are left alone; small files of user tables that lie side by side are joined, and their rows keep their order. Loads, statements and queries may go on; what is killed half way changes nothing. A server does this by itself where upkeep.minutes is set (0, the default, is never)."
    )]
    Compact(CompactArguments),
    /// Remove files that no version within the retention refers to, and tables dropped before it
    #[command(
        after_help = "Examples:\n  convoke vacuum --data ./shop --dry-run\n  convoke vacuum --data ./shop --retention-days 30\n\nNothing younger than the retention (setting upkeep.retention_days) is removed; of user tables that is what DELETE and `compact` replaced, and tables dropped before it. Entries of logs that no such version needs are removed, too."
    )]
    Vacuum(VacuumArguments),
    /// Read every object and say which are damaged; exit code 1 when one is
    #[command(
        after_help = "Examples:\n  convoke check --data ./shop\n  convoke check --data ./shop --workspace convoke\n\nNothing is changed. One line a fault: the object, what is wrong, what helps."
    )]
    Check(CheckArguments),
}

// A paragraph is one line: it is wrapped to the width of the terminal. Commands are short enough for each.
const CHECKPOINT_EXAMPLE: &str = "Example:
  convoke checkpoint --data ./shop

DuckDB, Polars, Spark and others then join the Delta table of events with the Parquet files (node, person, person_id) \
under the path that is printed: events.node = persons.node (README, Open data). The next start reads the checkpoint in \
place of all loads. A running server takes checkpoints by itself (settings identity.checkpoint_nodes and \
identity.checkpoint_minutes).";

const INGEST_EXAMPLES: &str = "Examples:
  convoke ingest purchases.csv --data ./shop --event 'Order Completed' \\
      --map ts=date,user_id=customer,revenue=dollars,quantity=cds
  convoke ingest 'log/*.ndjson' --connect http://127.0.0.1:8815 \\
      --token \"$TOKEN\"
  convoke ingest members.csv --data ./shop --type identify \\
      --map ts=joined,id.email=mail,id.member_no=card

A field that is not mapped keeps its column's name if that is a field of events, in any case (ORDER_ID, orderId); all \
other columns become properties, and those that look like a field (e-mail, OrderNo) are named. Blanks around values are \
cut, 123.0 is customer 123, usd is USD, 202401312359 is 2024-01-31 23:59. Values such as null, N/A, (not set), 0 or \
unknown identify nobody and are no order number (`convoke workspace set --help`). An alias links its user_id to its \
previous_id, as a user_id and as an anonymous_id. Times more than two days from now are rejected.

Exit code 1 when a file cannot be read, or when it has rows and none was kept nor stored before; one without rows is \
said and no error.

Fields: message_id ts type event anonymous_id user_id channel source brand store_id campaign_id order_id revenue cost \
currency product_id category quantity properties context, and id.<type> for identifiers";

#[derive(Debug, Args)]
pub(super) struct DataArguments {
    /// Folder or URL with the data
    #[arg(long, value_name = "URL", default_value = DEFAULT_DATA)]
    pub(super) data: String,
    /// Workspace to work in
    #[arg(long, value_name = "NAME", default_value = DEFAULT_WORKSPACE)]
    pub(super) workspace: WorkspaceName,
}

#[derive(Debug, Args)]
pub(super) struct SettingsArguments {
    /// File with settings (TOML); SELECT * FROM system.settings lists them
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
    /// Memory of one statement, such as 512MiB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) query_memory: Option<String>,
    /// Seconds that one statement may run
    #[arg(long, value_name = "SECONDS")]
    pub(super) query_seconds: Option<u64>,
}

fn size(text: &str) -> Result<String, String> {
    text.parse::<Bytes>().map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// All workspaces of it are served: the token of a call says which one it is for
    #[command(flatten)]
    pub(super) data: RootArguments,
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(super) listen: Option<String>,
    /// Serve beyond this machine without TLS
    #[arg(long)]
    pub(super) insecure: bool,
    /// Certificate chain for TLS (PEM), with --tls-key
    #[arg(long, value_name = "FILE")]
    pub(super) tls_cert: Option<String>,
    /// Private key for TLS (PEM), with --tls-cert
    #[arg(long, value_name = "FILE")]
    pub(super) tls_key: Option<String>,
    /// Format of the log on standard error: text or json
    #[arg(long, value_name = "FORMAT", value_parser = ["text", "json"])]
    pub(super) log_format: Option<String>,
    /// An option of the planner, key=value; for tests that compare its plans
    #[arg(long, value_name = "KEY=VALUE", value_parser = option, hide = true)]
    pub(super) planner: Vec<(String, String)>,
    #[command(flatten)]
    pub(super) settings: SettingsArguments,
}

fn option(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    parts.ok_or_else(|| "write it like datafusion.optimizer.prefer_hash_join=false".to_owned())
}

/// Checks the form only: whether a host has an address shows when it is listened on.
fn address(text: &str) -> Result<String, String> {
    let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !host.contains(' ')).map(|(_, port)| port);
    match port.and_then(|port| port.parse::<u16>().ok()) {
        Some(_) => Ok(text.to_owned()),
        None => Err("write it like 127.0.0.1:8815".to_owned()),
    }
}

/// A running server in place of a data folder.
#[derive(Debug, Args)]
pub(super) struct ConnectArguments {
    /// Address of a running server, such as http://127.0.0.1:8815
    #[arg(long, value_name = "URL", conflicts_with_all = ["data", "workspace"])]
    pub(super) connect: Option<String>,
    /// Token for --connect
    #[arg(long, value_name = "TOKEN", env = "CONVOKE_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// Certificate of the authority (PEM) that signed the server's, for https:// (default: those of this machine)
    #[arg(long, value_name = "FILE", requires = "connect")]
    pub(super) tls_ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct IngestArguments {
    /// Files, folders or patterns: .csv .tsv .txt .ndjson .jsonl .json .parquet
    #[arg(required = true, value_name = "FILES")]
    pub(super) files: Vec<String>,
    #[command(flatten)]
    pub(super) data: DataArguments,
    #[command(flatten)]
    pub(super) connect: ConnectArguments,
    /// Where fields come from: field=column,... (see below)
    #[arg(long, value_name = "FIELD=COLUMN,...", value_parser = mapping)]
    pub(super) map: Vec<String>,
    /// Event name of rows that have none
    #[arg(long, value_name = "NAME")]
    pub(super) event: Option<String>,
    /// Type of rows that have none: track, identify, page, screen, group, alias
    #[arg(long = "type", value_name = "TYPE", value_parser = kind)]
    pub(super) kind: Option<EventKind>,
    /// Source of rows that have none
    #[arg(long, value_name = "NAME")]
    pub(super) source: Option<String>,
    /// Zone of times without one (default: the workspace's); a new folder's workspace gets it for its own by the first
    /// load that keeps a row
    #[arg(long, value_name = "TZ", value_parser = time_zone)]
    pub(super) time_zone: Option<Tz>,
    /// Field separator of CSV (default: comma, tab for .tsv)
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub(super) delimiter: Option<u8>,
    /// How times are written, such as '%d.%m.%Y %H:%M'
    #[arg(long, value_name = "FORMAT")]
    pub(super) ts_format: Option<String>,
    /// Load files that were loaded before once more, with the same options or others: beside the rows that are there, so
    /// that rows without a message id count twice
    #[arg(long)]
    pub(super) again: bool,
}

/// Checks a mapping here, where a fault is wrong usage; all of them are read together later.
fn mapping(text: &str) -> Result<String, String> {
    Mapping::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

fn kind(text: &str) -> Result<EventKind, String> {
    EventKind::from_name(text)
        .ok_or_else(|| format!("'{text}' is not an event type: use track, identify, page, screen, group or alias"))
}

fn time_zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| format!("'{text}' is not a time zone: use an IANA name such as Asia/Shanghai"))
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] => Ok(*byte),
        b"\\t" => Ok(b'\t'),
        _ => Err("a delimiter is one ASCII character, or \\t".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Csv,
    Json,
    Arrow,
}

/// A statement may begin with a comment (`--`); what has no blank is a flag that was mistyped.
fn statement(text: &str) -> Result<String, String> {
    match text.starts_with('-') && !text.contains(char::is_whitespace) {
        true => Err("there is no such flag: --help lists them".to_owned()),
        false => Ok(text.to_owned()),
    }
}

#[derive(Debug, Args)]
pub(super) struct SqlArguments {
    /// The statement; without one, statements are read from standard input, or typed on a terminal
    #[arg(value_name = "STATEMENT", allow_hyphen_values = true, value_parser = statement)]
    pub(super) statement: Option<String>,
    /// Run the statements in a file, each ended by ';', until one fails
    #[arg(short, long, value_name = "FILE", conflicts_with = "statement")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) data: DataArguments,
    #[command(flatten)]
    pub(super) connect: ConnectArguments,
    /// table; csv with a header; json with one object a line; arrow (an IPC stream)
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) settings: SettingsArguments,
}

#[derive(Debug, Args)]
pub(super) struct CheckpointArguments {
    #[command(flatten)]
    pub(super) data: DataArguments,
}

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Folder or URL for the data
    #[arg(long, value_name = "URL", default_value = DEMO_DATA)]
    pub(super) data: String,
    /// Planned customers of the shop
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) persons: u32,
    /// Address and port of the server
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(super) listen: Option<String>,
    /// Leave after the queries
    #[arg(long)]
    pub(super) exit: bool,
}

#[derive(Debug, Args)]
pub(super) struct CompactArguments {
    #[command(flatten)]
    pub(super) data: DataArguments,
    /// Vacuum afterwards
    #[arg(long)]
    pub(super) vacuum: bool,
    #[command(flatten)]
    pub(super) settings: SettingsArguments,
}

#[derive(Debug, Args)]
pub(super) struct VacuumArguments {
    #[command(flatten)]
    pub(super) data: DataArguments,
    /// List what would be removed
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Days for which old versions stay readable, at least 1
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) retention_days: Option<u64>,
    #[command(flatten)]
    pub(super) settings: SettingsArguments,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Folder or URL with the data
    #[arg(long, value_name = "URL", default_value = DEFAULT_DATA)]
    pub(super) data: String,
    /// Only this workspace
    #[arg(long, value_name = "NAME")]
    pub(super) workspace: Option<WorkspaceName>,
}
