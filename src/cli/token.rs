//! `convoke token`: makes access tokens.

use std::time::Duration;

use super::arguments::{TokenArguments, TokenCommand};
use super::embedded::Embedded;
use super::output;
use crate::error::Result;
use crate::settings::Settings;

const SECONDS_A_DAY: u64 = 86_400;

pub(super) async fn run(command: TokenCommand) -> Result<()> {
    match command {
        TokenCommand::Create(arguments) => create(arguments).await,
    }
}

/// Prints only the token, so that it can go into a variable.
async fn create(arguments: TokenArguments) -> Result<()> {
    let embedded = Embedded::open(&arguments.data.data, Settings::defaults()?).await?;
    embedded.create_workspace(&arguments.data, None).await?;
    let expires = arguments.expires.map(|days| Duration::from_secs(days.saturating_mul(SECONDS_A_DAY)));
    let workspace = arguments.data.workspace.clone();
    let token = embedded.tokens.create(workspace, arguments.role, &arguments.name, expires).await?;
    output::say(&token)
}
