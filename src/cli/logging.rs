//! Logs go to standard error, as the settings of `convoke serve` say; other commands have the defaults.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

use super::arguments::Command;
use super::serve;
use crate::settings::{LogFormat, Settings};

/// Overrides the setting, for every command.
const VARIABLE: &str = "CONVOKE_LOG";
const FALLBACK: &str = "warn,convoke=info";
/// A line a request would stand between the answers of the demo.
const QUIET: &str = "warn";

/// Wrong settings are not complained of here: the command itself will.
pub(super) fn start(command: &Command) {
    let settings = match command {
        Command::Serve(arguments) => serve::settings(arguments),
        _ => Settings::defaults(),
    };
    let (filter, format) = match settings {
        _ if matches!(command, Command::Demo(_)) => (QUIET.to_owned(), LogFormat::Text),
        Ok(settings) => (settings.server.log, settings.server.log_format),
        Err(_) => (FALLBACK.to_owned(), LogFormat::Text),
    };
    let filter = EnvFilter::try_from_env(VARIABLE)
        .or_else(|_| EnvFilter::try_new(filter))
        .unwrap_or_else(|_| EnvFilter::new(FALLBACK));
    let builder = SubscriberBuilder::default().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // In a file colours are noise. On a terminal NO_COLOR is heeded, as by default.
    let builder = if std::io::stderr().is_terminal() { builder } else { builder.with_ansi(false) };
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).init(),
    }
}
