//! What Tab completes: keywords, tables, columns, functions and the prompt's own commands; and when a statement is whole.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use futures::TryStreamExt;
use parking_lot::RwLock;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::commands;
use crate::cli::source::Source;
use crate::error::Result;
use crate::query::split;

const KEYWORDS: [&str; 64] = [
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CREATE",
    "CROSS",
    "CURRENT_DATE",
    "DATE",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FIRST",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LAST",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "RIGHT",
    "SELECT",
    "SHOW",
    "TABLE",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNION",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];
/// Words after which only a table can stand.
const BEFORE_TABLES: [&str; 4] = ["from", "join", "into", "table"];
/// Those after which a call of a table function can stand, too.
const BEFORE_CALLS: [&str; 2] = ["from", "join"];
/// Of schema `main`, so they need no qualifier.
const UNQUALIFIED: &str = "main";

/// Names to complete, each list ordered and without duplicates.
#[derive(Debug, Default)]
pub(super) struct Names {
    tables: Vec<String>,
    columns: Vec<String>,
    functions: Vec<String>,
    table_functions: Vec<String>,
}

impl Names {
    pub(super) async fn learn(source: &mut Source) -> Result<Self> {
        let mut names = Self::default();
        let catalog = "SELECT table_schema, table_name, column_name FROM information_schema.columns";
        for batch in all_rows(source, catalog).await? {
            for [schema, table, column] in text_rows(&batch) {
                names.tables.push(if schema == UNQUALIFIED { table } else { format!("{schema}.{table}") });
                names.columns.push(column);
            }
        }
        let functions = "SELECT DISTINCT routine_name, function_type FROM information_schema.routines";
        for batch in all_rows(source, functions).await? {
            for [name, kind] in text_rows(&batch) {
                let list = if kind == "TABLE" { &mut names.table_functions } else { &mut names.functions };
                list.push(name);
            }
        }
        for list in [&mut names.tables, &mut names.columns, &mut names.functions, &mut names.table_functions] {
            list.sort();
            list.dedup();
        }
        Ok(names)
    }

    /// What the word may become, after the word before it.
    fn candidates(&self, before: &str, word: &str) -> Vec<String> {
        let previous = before.split_whitespace().next_back().unwrap_or_default();
        let only = |list: &[String]| list.iter().filter(|name| begins(name, word)).cloned().collect::<Vec<_>>();
        match previous {
            r"\d" => return only(&self.tables),
            r"\df" => {
                let mut found = only(&self.functions);
                found.extend(only(&self.table_functions));
                found.sort();
                found.dedup();
                return found;
            }
            _ if BEFORE_TABLES.iter().any(|keyword| previous.eq_ignore_ascii_case(keyword)) => {
                let mut found = only(&self.tables);
                if BEFORE_CALLS.iter().any(|keyword| previous.eq_ignore_ascii_case(keyword)) {
                    found.extend(only(&self.table_functions).into_iter().map(call));
                }
                return found;
            }
            _ => {}
        }
        let mut found = only(&self.columns);
        found.extend(only(&self.tables));
        found.extend(only(&self.functions).into_iter().map(call));
        let lower = !word.starts_with(|first: char| first.is_uppercase());
        let keywords = KEYWORDS.iter().filter(|keyword| !word.is_empty() && begins(keyword, word));
        found.extend(keywords.map(|keyword| if lower { keyword.to_lowercase() } else { (*keyword).to_owned() }));
        if let Some((alias, column)) = word.rsplit_once('.') {
            let columns = self.columns.iter().filter(|name| begins(name, column));
            found.extend(columns.map(|name| format!("{alias}.{name}")));
        }
        found
    }
}

fn call(function: String) -> String {
    format!("{function}(")
}

async fn all_rows(source: &mut Source, statement: &str) -> Result<Vec<RecordBatch>> {
    match source.run(statement).await? {
        Some(rows) => rows.batches.try_collect().await,
        None => Ok(Vec::new()),
    }
}

/// Rows of a batch whose first `N` columns are texts.
fn text_rows<const N: usize>(batch: &RecordBatch) -> impl Iterator<Item = [String; N]> {
    let columns: [_; N] = std::array::from_fn(|index| batch.column(index).as_string_opt::<i32>());
    (0..batch.num_rows()).map(move |row| {
        columns.map(|column| column.filter(|texts| texts.is_valid(row)).map_or("", |texts| texts.value(row)).to_owned())
    })
}

fn begins(name: &str, word: &str) -> bool {
    name.get(..word.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
}

/// What rustyline asks while a line is typed.
pub(super) struct LineHelper {
    pub(super) names: Arc<RwLock<Names>>,
}

impl Completer for LineHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, position: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..position];
        let start = typed.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).map_or(0, |at| {
            // The next character begins the word.
            at + typed[at..].chars().next().map_or(0, char::len_utf8)
        });
        let pair = |name: String| Pair { display: name.clone(), replacement: name };
        let command = typed.trim_start();
        if command.starts_with('\\') && !command.contains(char::is_whitespace) {
            let start = position - command.len();
            let found = commands::NAMES.iter().filter(|name| name.starts_with(command));
            return Ok((start, found.map(|name| pair((*name).to_owned())).collect()));
        }
        let found = self.names.read().candidates(&typed[..start], &typed[start..]);
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Validator for LineHelper {
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_command = commands::parse(text).is_some() || commands::below_statement(text).is_some();
        let is_whole = is_command || split(text).rest.is_empty();
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for LineHelper {
    type Hint = String;
}

impl Highlighter for LineHelper {}

impl Helper for LineHelper {}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            tables: vec!["events".into(), "orders".into(), "system.queries".into()],
            columns: vec!["event".into(), "order_id".into()],
            functions: vec!["ordinal".into(), "range".into()],
            table_functions: vec!["orbit".into(), "range".into()],
        }
    }

    #[test]
    fn after_from_only_tables_stand() {
        assert_eq!(names().candidates("SELECT * FROM ", "or"), ["orders", "orbit("]);
        assert_eq!(names().candidates("DROP TABLE ", "or"), ["orders"]);
        assert_eq!(names().candidates("select * from ", "system.q"), ["system.queries"]);
        assert_eq!(names().candidates(r"\d ", "e"), ["events"]);
        assert_eq!(names().candidates(r"\df ", "r"), ["range"]);
    }

    #[test]
    fn elsewhere_all_kinds_stand_and_keywords_follow_the_case_typed() {
        assert_eq!(names().candidates("SELECT ", "ord"), ["order_id", "orders", "ordinal(", "order"]);
        assert_eq!(names().candidates("SELECT x FROM t ", "ORDER"), ["order_id", "orders", "ORDER"]);
        assert_eq!(names().candidates("SELECT ", "e.ord"), ["e.order_id"]);
    }
}
