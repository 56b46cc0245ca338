//! `convoke token`: makes, lists and revokes access tokens.

use std::time::Duration;

use chrono::DateTime;

use super::arguments::{TokenArguments, TokenCommand, TokenListArguments, TokenRevokeArguments};
use super::embedded::{self, Embedded};
use super::output::{self, ResultRows};
use crate::auth::{Role, TokenEntry, TokenState};
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::settings::Settings;

const SECONDS_A_DAY: u64 = 86_400;
/// Characters of an id that the list shows.
const SHOWN_ID: usize = 12;
/// Characters of an id that name a token at least.
const SHORTEST_ID: usize = 4;

pub(super) async fn run(command: TokenCommand) -> Result<()> {
    match command {
        TokenCommand::Create(arguments) => create(arguments).await,
        TokenCommand::List(arguments) => list(arguments).await,
        TokenCommand::Revoke(arguments) => revoke(arguments).await,
    }
}

/// Prints only the token, so that it can go into a variable.
async fn create(arguments: TokenArguments) -> Result<()> {
    let data = &arguments.data.data;
    let is_new = embedded::is_missing_folder(data);
    let embedded = Embedded::open(data, Settings::defaults()?).await?;
    embedded.create_workspace(&arguments.data, None).await?;
    if is_new {
        output::complain(&embedded::describe_made(data));
    }
    let expires = arguments.expires.map(|days| Duration::from_secs(days.saturating_mul(SECONDS_A_DAY)));
    let workspace = arguments.data.workspace.clone();
    // Only advice: a token that cannot be read keeps nobody from making another one.
    if !arguments.name.is_empty()
        && let Ok(tokens) = tokens_of(&embedded, Some(&workspace)).await
        && let Some(note) = note_on_name(&tokens, &arguments.name)
    {
        output::complain(&note);
    }
    let token = match (&arguments.source, arguments.role) {
        (None, role) => embedded.tokens.create(workspace, role, &arguments.name, expires).await?,
        (Some(source), Role::Ingest) => {
            embedded.tokens.create_for_source(workspace, &arguments.name, expires, source).await?
        }
        (Some(_), role) => {
            return Err(Error::invalid(format!(
                "--source is for tokens of role ingest, not {}: they alone send events and nothing else",
                role.as_str()
            )));
        }
    };
    output::say(&token)
}

/// What to know when tokens have the name already.
fn note_on_name(tokens: &[TokenEntry], name: &str) -> Option<String> {
    let mut others = tokens.iter().filter(|token| token.name == name && token.state == TokenState::Active);
    let other = others.next().filter(|_| !name.is_empty())?;
    Some(format!(
        "note: there is another token named '{name}', {}, and both hold: `convoke token revoke` takes its id",
        shown_id(other)
    ))
}

async fn list(arguments: TokenListArguments) -> Result<()> {
    let embedded = Embedded::open_existing(&arguments.list.root.data, Settings::defaults()?).await?;
    let tokens = tokens_of(&embedded, arguments.workspace.as_ref()).await?;
    let rows = tokens.iter().map(describe).collect();
    let columns = ["id", "name", "workspace", "role", "source", "created", "expires", "state"];
    output::print(ResultRows::of_texts(&columns, rows)?, arguments.list.format).await?;
    Ok(())
}

async fn tokens_of(embedded: &Embedded, workspace: Option<&WorkspaceName>) -> Result<Vec<TokenEntry>> {
    let mut tokens = embedded.tokens.list().await?;
    tokens.retain(|token| workspace.is_none_or(|wanted| token.workspace == *wanted));
    Ok(tokens)
}

fn shown_id(token: &TokenEntry) -> &str {
    token.id.get(..SHOWN_ID).unwrap_or(&token.id)
}

fn describe(token: &TokenEntry) -> Vec<Option<String>> {
    vec![
        Some(shown_id(token).to_owned()),
        Some(token.name.clone()),
        Some(token.workspace.to_string()),
        Some(token.role.as_str().to_owned()),
        token.source.clone(),
        Some(time(token.created_at)),
        Some(token.expires_at.map_or_else(|| "never".to_owned(), time)),
        Some(token.state.as_str().to_owned()),
    ]
}

fn time(seconds_since_1970: u64) -> String {
    let at = i64::try_from(seconds_since_1970).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    at.map_or_else(|| "in a far future".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

async fn revoke(arguments: TokenRevokeArguments) -> Result<()> {
    let embedded = Embedded::open_existing(&arguments.root.data, Settings::defaults()?).await?;
    let tokens = tokens_of(&embedded, arguments.workspace.as_ref()).await?;
    // All are found before the first is revoked: a slip of the pen changes nothing.
    let found = arguments.tokens.iter().map(|wanted| find(&tokens, wanted)).collect::<Result<Vec<_>>>()?;
    for token in found {
        embedded.tokens.revoke(&token.id).await?;
        let (id, name, workspace) = (shown_id(token), &token.name, &token.workspace);
        output::say(&format!("token {id} '{name}' of workspace '{workspace}' is revoked"))?;
    }
    Ok(())
}

/// The one token of this id, beginning of an id, or name.
fn find<'a>(tokens: &'a [TokenEntry], wanted: &str) -> Result<&'a TokenEntry> {
    let is_id = |token: &&TokenEntry| wanted.len() >= SHORTEST_ID && token.id.starts_with(wanted);
    let is_name = |token: &&TokenEntry| token.name == wanted && token.state != TokenState::Revoked;
    let matching: Vec<&TokenEntry> = tokens.iter().filter(|token| is_id(token) || is_name(token)).collect();
    match matching.as_slice() {
        [one] => Ok(one),
        [] => Err(Error::not_found(format!("there is no token '{wanted}': `convoke token list` shows ids and names"))),
        several => {
            let ids: Vec<&str> = several.iter().map(|token| shown_id(token)).collect();
            Err(Error::invalid(format!(
                "'{wanted}' means {} tokens, name one by its id: {}",
                ids.len(),
                ids.join(", ")
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, name: &str, state: TokenState) -> TokenEntry {
        let workspace = WorkspaceName::default();
        let (id, name) = (id.to_owned(), name.to_owned());
        TokenEntry { id, name, workspace, role: Role::Admin, created_at: 0, expires_at: None, source: None, state }
    }

    #[test]
    fn a_token_is_found_by_the_beginning_of_its_id_or_by_a_name_that_is_its_own() {
        let tokens = [
            token("abcd1111", "bi", TokenState::Active),
            token("abcd2222", "web", TokenState::Active),
            token("ffff3333", "web", TokenState::Active),
            token("eeee4444", "bi", TokenState::Revoked),
        ];
        let id = |wanted| find(&tokens, wanted).map(|token| token.id.as_str());
        assert_eq!(id("abcd1").unwrap(), "abcd1111");
        assert_eq!(id("bi").unwrap(), "abcd1111", "the other one is revoked");
        assert_eq!(id("eeee4444").unwrap(), "eeee4444");
        assert!(id("abcd").unwrap_err().to_string().contains("abcd1111, abcd2222"));
        assert!(id("web").unwrap_err().to_string().contains("2 tokens"));
        assert!(id("abc").unwrap_err().to_string().contains("token list"), "too short for an id");
    }
}
