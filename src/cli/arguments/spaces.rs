//! What can be written after `convoke workspace`, `convoke import` and `convoke token`.

use std::path::PathBuf;

use chrono_tz::Tz;
use clap::{Args, Subcommand};

use super::{DEFAULT_DATA, DataArguments, Format};
use crate::auth::Role;
use crate::identity::BlockedValues;
use crate::ids::WorkspaceName;

/// A data folder as a whole, for commands that name workspaces otherwise or see all of them.
#[derive(Debug, Args)]
pub(in crate::cli) struct RootArguments {
    /// Folder or URL with the data
    #[arg(long, value_name = "URL", default_value = DEFAULT_DATA)]
    pub(in crate::cli) data: String,
}

/// Each line is wrapped to the width of the terminal, behind its own indentation.
const HELP_BEFORE_BLOCKED: &str = "Settings (key=value; an empty value takes one back, so that the server's setting holds):
  purchase_events
      events that are a purchase: 'Order Completed,Sold', or '[\"Sold, at last\"]' for names with commas
  refund_events
      events that take one back
  base_currency
      currency of orders that name none, and of net_base: three letters, such as USD
  order_key
      what an order number counts within: order_id (it is one order), source or brand
  fx_max_age_days
      days for which an exchange rate holds: 7, 0 for the same day only
  identifier_types
      types beyond user_id, email, ...: name:class, with class person, device or cookie, and a place in the priority if \
need be: 'card_no:person:before email,tv_id:device'. Rules of identity, once a workspace has some, say these types and \
blocked values instead: `convoke identity rules --help`
  pii_columns
      columns of events, or keys such as properties.phone, that hold personal data: no examples of them
  blocked_values
      values that identify nobody and are no order number (of events that are loaded from then on), beside those that \
are always blocked, in any case and brackets:";

const HELP_AFTER_BLOCKED: &str = "      addresses such as none@none.com, what has no letter and no digit but 0 (-, ?, 0, \
                                  000), and numbers cut to 1.38E+10";

fn settings_help() -> String {
    let blocked: String = BlockedValues::built_in().map(|value| format!(" {value},")).collect();
    format!("{HELP_BEFORE_BLOCKED}\n     {blocked}\n{HELP_AFTER_BLOCKED}")
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WorkspaceCommand {
    /// Make a workspace
    #[command(
        after_help = format!("Examples:\n  convoke workspace create shop_cn --data ./shop --time-zone Asia/Shanghai\n  convoke workspace create shop_us --data ./shop base_currency=USD \\\n      purchase_events='Order Completed,Sold'\n\n{}", settings_help())
    )]
    Create(CreateWorkspaceArguments),
    /// List the workspaces of a data folder
    #[command(after_help = "Example:\n  convoke workspace list --data ./shop")]
    List(ListArguments),
    /// Change settings of a workspace that no server serves at the moment
    #[command(
        after_help = format!("Example:\n  convoke workspace set shop_cn --data ./shop base_currency=CNY \\\n      identifier_types=card_no:person\n\n{}\n\nSELECT * FROM system.settings shows what holds. It holds from the next start of the server on.", settings_help())
    )]
    Set(SetWorkspaceArguments),
    /// Remove a workspace with all of its data, settings and tokens
    #[command(
        after_help = "Example:\n  convoke workspace drop shop_us --data ./shop --yes\n\nIf it breaks off, the workspace is gone for everybody already; a second drop removes the rest."
    )]
    Drop(DropWorkspaceArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CreateWorkspaceArguments {
    /// Name: lower-case letters, digits, '_' and '-', a letter first
    pub(in crate::cli) name: WorkspaceName,
    /// Settings, as for `set`
    #[arg(value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,
    #[command(flatten)]
    pub(in crate::cli) root: RootArguments,
    /// Defines its days; cannot be changed later
    #[arg(long, value_name = "TZ", default_value = "UTC", value_parser = super::time_zone)]
    pub(in crate::cli) time_zone: Tz,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArguments {
    #[command(flatten)]
    pub(in crate::cli) root: RootArguments,
    /// table; csv with a header; json with one object a line; arrow (an IPC stream)
    #[arg(long, value_enum, default_value = "table")]
    pub(in crate::cli) format: Format,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SetWorkspaceArguments {
    /// The workspace
    pub(in crate::cli) name: WorkspaceName,
    /// Settings (see below)
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,
    #[command(flatten)]
    pub(in crate::cli) root: RootArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct DropWorkspaceArguments {
    /// The workspace
    pub(in crate::cli) name: WorkspaceName,
    #[command(flatten)]
    pub(in crate::cli) root: RootArguments,
    /// Do not ask
    #[arg(long)]
    pub(in crate::cli) yes: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write key=value, such as base_currency=USD".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ImportCommand {
    /// Names of days: festivals, sales days
    #[command(
        after_help = "Example:\n  convoke import dates festivals.csv --data ./shop\n\nColumns: day (2024-02-10) and name; a day may have several names, separated by ';' or in several rows. They stand in dates.names:\n  SELECT day, names FROM dates WHERE array_length(names) > 0"
    )]
    Dates(ImportArguments),
    /// Exchange rates, for net_base of orders
    #[command(
        after_help = "Example:\n  convoke import fx_rates rates.csv --data ./shop --workspace shop_us\n\nColumns: day (2024-02-10), currency (EUR) and rate: units of the workspace's base currency for one unit of the currency. A booking takes the rate of its local day, or the last one at most fx_max_age_days (7) before; without one its amount_base is NULL, and so is net_base of its order:\n  SELECT currency, day, count(*) FROM order_entries\n    WHERE amount_base IS NULL GROUP BY currency, day"
    )]
    #[command(name = "fx_rates")]
    FxRates(ImportArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArguments {
    /// CSV (.csv .tsv .txt), NDJSON (.ndjson .jsonl .json) or Parquet (.parquet)
    pub(in crate::cli) file: PathBuf,
    #[command(flatten)]
    pub(in crate::cli) data: DataArguments,
    /// Forget what was imported before; else days and currencies that the file does not name stay as they are
    #[arg(long)]
    pub(in crate::cli) replace: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TokenCommand {
    /// Make a token and print it; it is not stored and cannot be shown again
    #[command(
        after_help = "Examples:\n  TOKEN=$(convoke token create --data ./shop --role analyst --name tableau)\n  convoke token create --data ./shop --workspace shop_us --role ingest \\\n      --source web --expires 90\n\nClients send it as a bearer token, or as the password of any user name. It opens one workspace.\nRoles:\n  admin    everything in the workspace\n  analyst  reads all tables, owns tables\n  service  looks persons and audiences up, no SQL\n  ingest   sends events, nothing else; --source sets the source of all of them"
    )]
    Create(TokenArguments),
    /// List tokens: what they are for, never what they are
    #[command(after_help = "Example:\n  convoke token list --data ./shop")]
    List(TokenListArguments),
    /// End tokens for good; a running server refuses them within a second
    #[command(
        after_help = "Examples:\n  convoke token revoke 3fa94b02 --data ./shop\n  convoke token revoke tableau --data ./shop"
    )]
    Revoke(TokenRevokeArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TokenArguments {
    #[command(flatten)]
    pub(in crate::cli) data: DataArguments,
    /// admin, analyst, service or ingest
    #[arg(long)]
    pub(in crate::cli) role: Role,
    /// What the token is for
    #[arg(long, default_value = "")]
    pub(in crate::cli) name: String,
    /// Days until it expires, at least 1 (default: never)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) expires: Option<u64>,
    /// For role ingest: the source that all of its events get
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) source: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TokenListArguments {
    #[command(flatten)]
    pub(in crate::cli) list: ListArguments,
    /// Only those of this workspace
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) workspace: Option<WorkspaceName>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TokenRevokeArguments {
    /// Ids as `list` shows them (or their first four characters and more), or names
    #[arg(required = true, value_name = "ID|NAME")]
    pub(in crate::cli) tokens: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) root: RootArguments,
    /// Only among those of this workspace
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) workspace: Option<WorkspaceName>,
}
