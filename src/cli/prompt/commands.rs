//! The commands of the prompt that begin with a backslash.

use clap::ValueEnum;

use crate::cli::arguments::Format;
use crate::error::{Error, Result};
use crate::query::split;

pub(super) const HELP: &str = r"  \d                  tables
  \d NAME             columns of a table
  \df [PATTERN]       functions; * stands for any text
  \format [FORMAT]    how rows are printed: table, csv or json
  \timing [on|off]    whether the time of each statement is printed
  \?                  this help
  \q                  leave (also Ctrl-D)
Ctrl-C cancels the running statement. Tab completes names. Arrows move through the history.";

/// The names of all commands, for completion.
pub(super) const NAMES: [&str; 6] = [r"\d", r"\df", r"\format", r"\timing", r"\?", r"\q"];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Quit,
    Help,
    /// `None` turns it round.
    Timing(Option<bool>),
    /// `None` asks which one holds.
    Format(Option<Format>),
    /// A statement over the catalog, and what to say when it yields nothing.
    Look {
        statement: String,
        nothing: String,
    },
}

/// `None` when the text is no command.
pub(super) fn parse(text: &str) -> Option<Result<Command>> {
    let text = text.trim().trim_end_matches(';').trim_end();
    if text.eq_ignore_ascii_case("quit") || text.eq_ignore_ascii_case("exit") {
        return Some(Ok(Command::Quit));
    }
    if text.eq_ignore_ascii_case("help") {
        return Some(Ok(Command::Help));
    }
    if !text.starts_with('\\') {
        return None;
    }
    let (name, argument) = match text.split_once(char::is_whitespace) {
        Some((name, argument)) => (name, Some(argument.trim())),
        None => (text, None),
    };
    Some(match name {
        r"\q" => Ok(Command::Quit),
        r"\?" | r"\h" => Ok(Command::Help),
        r"\timing" => timing(argument),
        r"\format" => format(argument),
        r"\d" => Ok(argument.map_or_else(tables, columns)),
        r"\df" => Ok(functions(argument.unwrap_or("*"))),
        other => Err(Error::invalid(format!(r"there is no command {other}: \? lists them"))),
    })
}

/// A command on the last line, below a statement that has no end yet: the statement and the command.
pub(super) fn below_statement(text: &str) -> Option<(&str, &str)> {
    let (statement, last) = text.trim_end().rsplit_once('\n')?;
    let is_begun = !split(statement).rest.is_empty();
    // In quotes and comments a line is text, whatever it says.
    let is_text = !split(&format!("{statement}\n;")).rest.is_empty();
    (is_begun && !is_text && parse(last).is_some()).then_some((statement, last))
}

fn timing(argument: Option<&str>) -> Result<Command> {
    match argument {
        None => Ok(Command::Timing(None)),
        Some("on") => Ok(Command::Timing(Some(true))),
        Some("off") => Ok(Command::Timing(Some(false))),
        Some(other) => Err(Error::invalid(format!(r"'{other}' is neither on nor off"))),
    }
}

fn format(argument: Option<&str>) -> Result<Command> {
    let Some(name) = argument else { return Ok(Command::Format(None)) };
    match Format::from_str(name, true) {
        // Its bytes are for programs.
        Ok(Format::Arrow) | Err(_) => {
            Err(Error::invalid(format!("'{name}' is not a format here: use table, csv or json")))
        }
        Ok(format) => Ok(Command::Format(Some(format))),
    }
}

pub(super) fn format_name(format: Format) -> &'static str {
    match format {
        Format::Table => "table",
        Format::Csv => "csv",
        Format::Json => "json",
        Format::Arrow => "arrow",
    }
}

fn tables() -> Command {
    Command::Look {
        statement: "SELECT table_schema AS \"schema\", table_name AS name, table_type AS kind \
                    FROM information_schema.tables WHERE table_schema <> 'information_schema' ORDER BY 1, 2"
            .to_owned(),
        nothing: "There are no tables.".to_owned(),
    }
}

/// The columns of `name` or `schema.name`.
fn columns(name: &str) -> Command {
    let plain = name.replace('"', "");
    let condition = match plain.split_once('.') {
        Some((schema, table)) => format!("table_schema = {} AND table_name = {}", quoted(schema), quoted(table)),
        None => format!("table_name = {}", quoted(&plain)),
    };
    Command::Look {
        statement: format!(
            "SELECT column_name AS \"column\", data_type AS type, is_nullable AS nullable \
             FROM information_schema.columns WHERE {condition} ORDER BY table_schema, ordinal_position"
        ),
        nothing: format!(r"There is no table '{name}': \d lists all."),
    }
}

fn functions(pattern: &str) -> Command {
    let like = pattern.to_lowercase().replace('_', "\\_").replace('*', "%");
    Command::Look {
        statement: format!(
            "SELECT DISTINCT routine_name AS function, lower(function_type) AS kind, syntax_example AS usage \
             FROM information_schema.routines WHERE lower(routine_name) LIKE {} ORDER BY 1, 2, 3",
            quoted(&like)
        ),
        nothing: format!(r"No function is named like '{pattern}': \df lists all."),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether the statement may have made or dropped a table.
pub(super) fn changes_names(statement: &str) -> bool {
    let first = statement.split_whitespace().find(|word| !word.starts_with("--")).unwrap_or_default();
    ["create", "drop", "alter"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_no_commands() {
        assert_eq!(parse("SELECT 1;").map(|command| command.is_ok()), None);
    }

    #[test]
    fn a_command_below_a_statement_is_told_from_its_text() {
        assert_eq!(below_statement("SELECT 1\n\\d orders"), Some(("SELECT 1", "\\d orders")));
        assert_eq!(below_statement("SELECT 1 -- one\nFROM t\nhelp\n"), Some(("SELECT 1 -- one\nFROM t", "help")));
        for text in
            ["SELECT 'a\n\\d", "SELECT 1 /* a\nhelp", "SELECT 1\nFROM t", "\\d", "SELECT 1;\n\\d", "-- one\n\\d"]
        {
            assert_eq!(below_statement(text), None, "{text}");
        }
    }

    #[test]
    fn commands_take_a_semicolon_and_blanks() {
        assert_eq!(parse(r" \q ; ").unwrap().unwrap(), Command::Quit);
        assert_eq!(parse(r"\timing  off").unwrap().unwrap(), Command::Timing(Some(false)));
        assert_eq!(parse(r"\format CSV").unwrap().unwrap(), Command::Format(Some(Format::Csv)));
    }

    #[test]
    fn unknown_ones_name_the_help() {
        assert!(parse(r"\x").unwrap().unwrap_err().to_string().contains(r"\?"));
        assert!(parse(r"\format arrow").unwrap().unwrap_err().to_string().contains("csv"));
    }

    #[test]
    fn quotes_in_names_stay_in_their_literal() {
        let Command::Look { statement, .. } = parse(r"\d it's").unwrap().unwrap() else { panic!("not a look") };
        assert!(statement.contains("table_name = 'it''s'"), "{statement}");
    }
}
