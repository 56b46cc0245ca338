//! SQL text to one allowed statement: placeholders numbered, kind checked.
//!
//! Only statements on the allow-list reach the planner: DataFusion's own defaults would read files and set anything.

use std::ops::ControlFlow;

use datafusion::common::DataFusionError;
use datafusion::sql::parser::{DFParserBuilder, Statement as DfStatement};
use datafusion::sql::sqlparser::ast::{DescribeAlias, Expr, Ident, ObjectType, Query, Set, Statement, Value, Visitor};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use crate::error::{Error, Result};

pub(super) mod at_time_zone;
mod cast_names;
mod clauses;
mod compose;
mod dialect;
mod distinct_on;
mod distinct_order;
mod fetch;
mod identity_rules;
pub(super) mod input_names;
mod insert_rows;
mod interval_texts;
mod json_paths;
mod keyed_tables;
mod literals;
mod number_texts;
mod own_names;
mod repairs;
mod repeated_names;
mod replaced_columns;
mod rollup;
mod row_values;
mod shared_values;
mod show_functions;
mod signs;
mod sort_outside;
mod split;
mod table_calls;
mod table_names;
#[cfg(test)]
mod tests;
mod using_join;
mod value_texts;
pub(super) mod walk;
mod words;

pub(super) use self::cast_names::tell_apart;
pub(super) use self::clauses::FunctionKinds;
use self::dialect::ConvokeDialect;
pub(super) use self::identity_rules::RulesStatement;
pub(super) use self::keyed_tables::may_show_false_key;
pub(super) use self::repairs::{JSON_COLUMNS, has_quoted_name, repairs};
pub(super) use self::repeated_names::{is_marked, mark, mark_unread, shown_name};
use self::replaced_columns::Replaced;
pub(super) use self::signs::as_factors;
pub use self::split::{Split, split};
pub(super) use self::table_names::table_names;
use self::using_join::ColumnsOf;
pub(super) use self::using_join::name_keys;
use self::walk::visit;
use self::words::Words;

/// Longest statement in bytes.
const MAX_STATEMENT_BYTES: usize = 1 << 20;

/// Operators in a statement: a chain of them is a tree as deep as it is long, and planning walks it by recursion.
const MAX_OPERATORS: usize = 2_000;

/// A parsed statement that may run.
#[derive(Debug)]
pub(super) enum Parsed {
    /// Yields rows; with the number of its parameters.
    Query { written: Box<Written>, parameters: usize },
    /// Of the rules of identity stitching.
    IdentityRules(RulesStatement),
    /// `SET TIME ZONE 'name'`.
    SetTimeZone(String),
}

/// A statement as it was written, and the words of it that ask for a look at the whole.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) statement: DfStatement,
    words: Words,
}

/// # Errors
/// `InvalidInput` for a text that is not one statement, or is one that this server does not run.
pub(super) fn parse(sql: &str) -> Result<Parsed> {
    if sql.len() > MAX_STATEMENT_BYTES {
        return Err(Error::invalid(format!("the statement is longer than {MAX_STATEMENT_BYTES} bytes")));
    }
    let (tokens, parameters) = tokenize(sql)?;
    if let Some(of_rules) = identity_rules::read(&tokens)? {
        return Ok(Parsed::IdentityRules(of_rules));
    }
    let words = Words::of(&tokens);
    let mut parser = DFParserBuilder::new(tokens).with_dialect(&ConvokeDialect).build().map_err(syntax_error)?;
    let mut statements = parser.parse_statements().map_err(syntax_error)?;
    let mut statement = match (statements.pop_front(), statements.is_empty()) {
        (Some(statement), true) => statement,
        (Some(_), false) => return Err(Error::invalid("send one statement at a time")),
        (None, _) => return Err(Error::invalid("the statement is empty")),
    };
    show_functions::rewrite(&mut statement)?;
    if words.sets
        && let Some(inner) = inner_mut(&mut statement)
    {
        rollup::rewrite(inner);
    }
    if words.fetch
        && let Some(inner) = inner_mut(&mut statement)
    {
        fetch::rewrite(inner);
    }
    if words.sorted_parentheses {
        input_names::open_parentheses(&mut statement);
    }
    if words.unnest || words.with && words.groups {
        keyed_tables::derive(&mut statement);
    }
    if let DfStatement::Statement(inner) = &statement
        && let Statement::Set(set) = inner.as_ref()
    {
        return set_statement(set);
    }
    if !changes(&statement) {
        check_allowed(&statement)?;
    }
    if words.unnest {
        sort_outside::sort_outside(&mut statement);
    }
    if words.zone {
        at_time_zone::rewrite(&mut statement);
    }
    if words.star_options {
        replaced_columns::quote_names(&mut statement);
    }
    if words.json_paths {
        json_paths::rewrite(&mut statement)?;
    }
    if words.literals {
        value_texts::rewrite(&mut statement)?;
        literals::rewrite(&mut statement);
    }
    if words.distinct && words.sorts {
        distinct_order::name_places(&mut statement);
    }
    Ok(Parsed::Query { written: Box::new(Written { statement, words }), parameters })
}

/// The statement itself, or the one that EXPLAIN explains; `None` for what sqlparser does not know.
fn inner_mut(statement: &mut DfStatement) -> Option<&mut Statement> {
    match statement {
        DfStatement::Statement(inner) => Some(inner),
        DfStatement::Explain(explain) => inner_mut(&mut explain.statement),
        _ => None,
    }
}

/// A name as the planner knows it: in lower case unless quoted.
fn normalize(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_ascii_lowercase(),
    }
}

fn syntax_error(error: DataFusionError) -> Error {
    Error::from(error).context("syntax")
}

/// Tokens with every `?` as `$1`, `$2`, ..., and the number of parameters.
fn tokenize(sql: &str) -> Result<(Vec<TokenWithSpan>, usize)> {
    let (mut marks, mut highest) = (0_usize, 0_usize);
    let mut tokens = Vec::new();
    let number = |token: TokenWithSpan| match token.token {
        Token::Placeholder(mark) if mark == "?" => {
            marks += 1;
            TokenWithSpan { token: Token::Placeholder(format!("${marks}")), span: token.span }
        }
        Token::Placeholder(mark) => {
            highest = highest.max(mark.trim_start_matches('$').parse().unwrap_or(usize::MAX));
            TokenWithSpan { token: Token::Placeholder(mark), span: token.span }
        }
        _ => number_texts::read(token),
    };
    Tokenizer::new(&ConvokeDialect, sql)
        .tokenize_with_location_into_buf_with_mapper(&mut tokens, number)
        .map_err(|error| Error::invalid(format!("syntax: {error}")))?;
    number_texts::join_bases(&mut tokens);
    number_texts::check(&tokens, sql)?;
    let operators = tokens.iter().filter(|token| is_operator(&token.token)).count();
    if operators > MAX_OPERATORS {
        return Err(Error::invalid(format!(
            "the statement has {operators} operators, more than {MAX_OPERATORS}: write long lists with IN (...) or VALUES"
        )));
    }
    match (marks, highest) {
        (_, usize::MAX) => Err(Error::invalid("parameters are written ? or $1, $2, ...")),
        (0, highest) => Ok((tokens, highest)),
        (marks, 0) => Ok((tokens, marks)),
        _ => Err(Error::invalid("parameters are written ? or $1, $2, ..., not both in one statement")),
    }
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            matches!(
                word.keyword,
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT
            )
        }
        Token::Plus
        | Token::Minus
        | Token::Div
        | Token::Mod
        | Token::StringConcat
        | Token::Arrow
        | Token::LongArrow
        | Token::HashArrow
        | Token::HashLongArrow
        | Token::DoubleColon
        | Token::Pipe
        | Token::Ampersand
        | Token::Caret
        | Token::LBracket
        | Token::Mul => true,
        _ => false,
    }
}

fn set_statement(set: &Set) -> Result<Parsed> {
    match set {
        Set::SetTimeZone { value, .. } => time_zone_of(value),
        Set::SingleAssignment { variable, values, .. } if is_time_zone(&variable.to_string()) => {
            values.first().map_or_else(|| Err(unknown_setting("SET TIME ZONE without a name")), time_zone_of)
        }
        other => Err(unknown_setting(&other.to_string())),
    }
}

fn is_time_zone(variable: &str) -> bool {
    let variable = variable.to_ascii_lowercase();
    variable == "timezone" || variable == "time_zone" || variable == "datafusion.execution.time_zone"
}

fn unknown_setting(what: &str) -> Error {
    Error::invalid(format!("{what}: only SET TIME ZONE 'name' may be set by a statement"))
}

fn time_zone_of(value: &Expr) -> Result<Parsed> {
    let name = match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(name) => name.clone(),
            other => other.to_string(),
        },
        other => other.to_string(),
    };
    Ok(Parsed::SetTimeZone(name))
}

impl Written {
    /// Whether its plan holds values of the moment when it was made: it must be made anew for each run.
    pub(super) fn is_of_the_moment(&self) -> bool {
        table_calls::has_calls(&self.statement)
    }

    /// What the planner would take for something else, written as it should be.
    ///
    /// # Errors
    /// `InvalidInput` for what the parser reads and the planner leaves out, does twice or cannot compare, and for keys of
    /// which the text does not tell the table.
    pub(super) fn rewrite(&mut self, columns_of: ColumnsOf<'_>, kinds: &FunctionKinds<'_>) -> Result<()> {
        if self.words.shared_keys || self.words.nested {
            using_join::rewrite(&mut self.statement, columns_of)?;
        }
        clauses::check(&self.statement, kinds)?;
        insert_rows::check(&self.statement, columns_of)?;
        if self.words.with {
            check_shared_values(&self.statement, kinds)?;
        }
        if self.words.rows {
            row_values::rewrite(&mut self.statement, kinds)?;
        }
        Ok(())
    }

    /// The query of DESCRIBE SELECT, as a statement of its own.
    pub(super) fn described_query(&self) -> Option<Self> {
        let DfStatement::Statement(inner) = &self.statement else { return None };
        let Statement::Explain { describe_alias: DescribeAlias::Describe | DescribeAlias::Desc, statement, .. } =
            inner.as_ref()
        else {
            return None;
        };
        let is_query = matches!(statement.as_ref(), Statement::Query(_));
        is_query.then(|| Self { statement: DfStatement::Statement(statement.clone()), words: self.words })
    }

    /// What `*` gives other values, with queries whose columns tell whether it is there.
    pub(super) fn replaced(&self) -> Vec<Replaced> {
        if self.words.replaces { replaced_columns::replaced(&self.statement) } else { Vec::new() }
    }

    /// Queries whose columns tell what names in sort expressions mean.
    pub(super) fn questions(&self) -> Vec<DfStatement> {
        if self.words.sorts { input_names::questions(&self.statement) } else { Vec::new() }
    }
}

/// # Errors
/// `InvalidInput` for a WITH table that the planner would compute twice, with other values.
fn check_shared_values(statement: &DfStatement, kinds: &FunctionKinds<'_>) -> Result<()> {
    struct Queries<'a>(&'a FunctionKinds<'a>);
    impl Visitor for Queries<'_> {
        type Break = Error;

        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
            shared_values::check(query, self.0).map_or_else(ControlFlow::Break, ControlFlow::Continue)
        }
    }
    let DfStatement::Statement(inner) = statement else { return Ok(()) };
    match visit(inner, &mut Queries(kinds)) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// Whether the statement is one of those that change user tables.
pub(super) fn changes(statement: &DfStatement) -> bool {
    let DfStatement::Statement(inner) = statement else { return false };
    match inner.as_ref() {
        Statement::CreateTable(_) | Statement::Insert(_) | Statement::Delete(_) => true,
        Statement::Drop { object_type: ObjectType::Table, names, .. } => names.len() == 1,
        _ => false,
    }
}

/// What to write in place of a change that is not there; `None` for a statement that is no change.
fn refused_change(statement: &Statement) -> Option<Result<()>> {
    let remedy = match statement {
        Statement::CreateTable(_) | Statement::Insert(_) | Statement::Delete(_) => {
            "EXPLAIN takes a query: explain the SELECT of the statement"
        }
        Statement::Drop { object_type: ObjectType::Table, .. } => "DROP TABLE takes one table, and no EXPLAIN",
        Statement::Update(_) => {
            "UPDATE is not a statement of this server: DELETE the rows and INSERT them anew, or CREATE OR REPLACE TABLE ... AS"
        }
        Statement::Merge(_) => {
            "MERGE is not a statement of this server: DELETE the rows and INSERT them anew, or CREATE OR REPLACE TABLE ... AS"
        }
        Statement::AlterTable(_) => {
            "ALTER TABLE is not a statement of this server: CREATE OR REPLACE TABLE t AS SELECT ... FROM t changes its columns"
        }
        Statement::Truncate(_) => "TRUNCATE is not a statement of this server: DELETE FROM t removes all rows",
        Statement::Copy { .. } => {
            "COPY is not a statement of this server: send rows by ADBC's bulk ingest or by INSERT"
        }
        _ => return None,
    };
    Some(Err(Error::invalid(remedy)))
}

fn check_allowed(statement: &DfStatement) -> Result<()> {
    match statement {
        DfStatement::Explain(explain) => check_allowed(&explain.statement),
        DfStatement::Statement(inner) => match inner.as_ref() {
            Statement::Query(_)
            | Statement::ExplainTable { .. }
            | Statement::ShowTables { .. }
            | Statement::ShowColumns { .. }
            | Statement::ShowFunctions { .. } => Ok(()),
            Statement::Explain { statement, .. } => check_allowed(&DfStatement::Statement(statement.clone())),
            other => refused_change(other).unwrap_or_else(|| Err(not_allowed(&other.to_string()))),
        },
        DfStatement::CreateExternalTable(_) => Err(Error::invalid(
            "CREATE EXTERNAL TABLE is not a statement of this server: load files with `convoke ingest`, or as a table of \
             your own by ADBC's bulk ingest",
        )),
        DfStatement::CopyTo(_) => Err(Error::invalid(
            "COPY is not a statement of this server: it writes no files; run the SELECT and store its rows at the client",
        )),
        DfStatement::Reset(_) => Err(not_allowed("RESET")),
    }
}

/// Names the statement by its first words only: the rest may hold a secret.
fn not_allowed(statement: &str) -> Error {
    let words: Vec<&str> = statement.split_whitespace().take(3).take_while(|word| word.len() < 20).collect();
    Error::invalid(format!(
        "{} is not a statement of this server: it runs SELECT, EXPLAIN, DESCRIBE, SHOW, CREATE TABLE, \
         INSERT, DELETE, DROP TABLE, SET TIME ZONE and CREATE OR REPLACE IDENTITY RULES",
        words.join(" ").to_uppercase()
    ))
}
