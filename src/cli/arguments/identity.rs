//! What can be written after `convoke identity`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ConnectArguments, DataArguments, SettingsArguments};

// A paragraph is one line: it is wrapped to the width of the terminal. Commands are short enough for each.
const RULES_EXAMPLES: &str = "Examples:
  convoke identity rules --data ./shop > identity.yml
  convoke identity rules identity.yml --data ./shop
  convoke identity rules identity.yml --connect http://127.0.0.1:8815 \\
      --token \"$TOKEN\"

The rules say which types of identifiers there are, in the order of their priority, how their values are spelled and which \
of them identify nobody:
  id_types:
    - {name: user_id}
    - {name: email, normalize: email, filters: [{type: exclude, value: \"noreply@example.com\"}]}
    - {name: phone, normalize: {phone: CN}}
    - {name: card_no, class: person}
  block_values: {exact: [\"kasse 1\"], regex: [\"test-.*\"], min_length: 3}

They hold for events from then on. A text that is not right is refused with the lines of all that is wrong, and nothing is \
changed. A running server takes them by --connect with a token of role admin; SQL has SHOW IDENTITY RULES and CREATE OR \
REPLACE IDENTITY RULES FROM 'text'. docs/identity.md describes all keys.";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum IdentityCommand {
    /// Print the rules of identity stitching that are in force, or put those of a file in force
    #[command(after_help = RULES_EXAMPLES)]
    Rules(IdentityRulesArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct IdentityRulesArguments {
    /// File with rules (YAML); without one, those in force are printed
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) data: DataArguments,
    #[command(flatten)]
    pub(in crate::cli) connect: ConnectArguments,
    #[command(flatten)]
    pub(in crate::cli) settings: SettingsArguments,
}
