//! `x #>> '{a,b}'` as `x -> 'a' ->> 'b'`, and `#>` as well: the path of PostgreSQL, a list of keys that is written as a
//! text, or as an ARRAY.
//!
//! The planner takes the text for one key, which no object has, and looks for the number in `ARRAY['0']` in objects alone
//! where the value is itself one of `->`: both were NULL in every row. Steps that are keys of their own are read in one
//! go, and the column has a name that can be read.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{Array, BinaryOperator, DataType, Expr, Value, VisitorMut};

use super::compose::call_of;
use super::inner_mut;
use super::walk::visit_mut;
use crate::error::{Error, Result};

/// Steps of all paths of a statement: each makes its tree deeper, and planning walks that by recursion.
const MAX_STEPS: usize = 500;

/// # Errors
/// `InvalidInput` for a path that is no list of keys, or of which the text does not tell what it reads.
pub(super) fn rewrite(statement: &mut DfStatement) -> Result<()> {
    let Some(inner) = inner_mut(statement) else { return Ok(()) };
    match visit_mut(inner, &mut Paths { steps: 0 }) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Paths {
    steps: usize,
}

impl VisitorMut for Paths {
    type Break = Error;

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        match self.written_out(expression) {
            Ok(Some(steps)) => *expression = steps,
            Ok(None) => {}
            Err(refusal) => return ControlFlow::Break(refusal),
        }
        ControlFlow::Continue(())
    }
}

impl Paths {
    /// The steps of a path one by one; `None` for what is no path, or one that the planner reads as it is.
    fn written_out(&mut self, expression: &Expr) -> Result<Option<Expr>> {
        let Expr::BinaryOp { left, op, right } = expression else { return Ok(None) };
        let last = match op {
            BinaryOperator::HashArrow => BinaryOperator::Arrow,
            BinaryOperator::HashLongArrow => BinaryOperator::LongArrow,
            _ => return Ok(None),
        };
        let Some(keys) = keys_of(right)? else { return Ok(None) };
        self.steps += keys.len();
        if self.steps > MAX_STEPS {
            return Err(Error::invalid(format!("the JSON paths of a statement have more than {MAX_STEPS} steps")));
        }
        if keys.first().is_some_and(is_number) && !is_step(left) {
            let (list, object) = (chain(left, &keys_as_numbers(&keys), &last), chain(left, &keys, &last));
            return Err(Error::invalid(format!(
                "the path of {left} {op} {right} starts with a number in quotes: write {list} where {left} is a list, and \
                 {object} where it is an object"
            )));
        }
        Ok(Some(chain(left, &keys, &last)))
    }
}

/// `value -> first -> second`, with the operator at hand before the last; the whole value without a key.
fn chain(value: &Expr, keys: &[Expr], last: &BinaryOperator) -> Expr {
    let Some((key, path)) = keys.split_last() else {
        let whole = if *last == BinaryOperator::LongArrow { "json_as_text" } else { "json_get" };
        return call_of(whole, vec![value.clone()]);
    };
    let step = |left: Expr, op: BinaryOperator, key: &Expr| Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(key.clone()),
    };
    let object = path.iter().fold(value.clone(), |left, key| step(left, BinaryOperator::Arrow, key));
    step(object, last.clone(), key)
}

/// Whether the value is that of `->` with a constant key: the planner makes one path of it and what follows, in which a
/// number in quotes is the place in a list, too.
fn is_step(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => is_step(inner),
        Expr::BinaryOp { op: BinaryOperator::Arrow, right, .. } => is_key(right),
        _ => false,
    }
}

fn is_key(key: &Expr) -> bool {
    matches!(key, Expr::Value(value) if matches!(value.value, Value::Number(..)) || text_of(&value.value).is_some())
}

/// Whether a key in quotes is the place in a list as well.
fn is_number(key: &Expr) -> bool {
    number_of(key).is_some()
}

fn number_of(key: &Expr) -> Option<isize> {
    let Expr::Value(value) = key else { return None };
    text_of(&value.value).and_then(|text| text.parse().ok())
}

/// The keys with the first as the place in a list.
fn keys_as_numbers(keys: &[Expr]) -> Vec<Expr> {
    let mut keys = keys.to_vec();
    if let Some(first) = keys.first_mut()
        && let Some(number) = number_of(first)
    {
        *first = Expr::Value(Value::Number(number.to_string(), false).into());
    }
    keys
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::UnicodeStringLiteral(text) => {
            Some(text)
        }
        Value::DollarQuotedString(text) => Some(&text.value),
        _ => None,
    }
}

/// The keys of a path; `None` for an ARRAY of other than constants.
fn keys_of(path: &Expr) -> Result<Option<Vec<Expr>>> {
    match path {
        Expr::Nested(inner) => keys_of(inner),
        Expr::Cast { expr, data_type: DataType::Array(_), .. } => keys_of(expr),
        Expr::Array(Array { elem, named: _ }) => Ok(elem.iter().all(is_key).then(|| elem.clone())),
        Expr::Value(value) => match text_of(&value.value) {
            Some(text) => elements(text).map(|keys| Some(keys.into_iter().map(key_of).collect())),
            None => Err(refusal(&path.to_string())),
        },
        other => Err(refusal(&other.to_string())),
    }
}

fn key_of(text: String) -> Expr {
    Expr::Value(Value::SingleQuotedString(text).into())
}

fn refusal(path: &str) -> Error {
    Error::invalid(format!(
        "{path} is no path of #> and #>>: write the keys in braces, as in x #>> '{{a,b}}', or one by one, as in x -> 'a' \
         ->> 'b'"
    ))
}

/// The elements of an array that PostgreSQL writes as a text: `{a,"b c",0}`.
fn elements(path: &str) -> Result<Vec<String>> {
    let wrong = || refusal(&format!("'{}'", path.replace('\'', "''")));
    let inside = path.trim().strip_prefix('{').and_then(|path| path.strip_suffix('}')).ok_or_else(wrong)?;
    let mut elements = Vec::new();
    let mut rest = inside.trim();
    if rest.is_empty() {
        return Ok(elements);
    }
    loop {
        let (element, behind) = first_element(rest).ok_or_else(wrong)?;
        elements.push(element);
        match behind.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if behind.is_empty() => return Ok(elements),
            None => return Err(wrong()),
        }
    }
}

/// The element that the text starts with, and what stands behind it.
fn first_element(text: &str) -> Option<(String, &str)> {
    let (is_quoted, text) = match text.strip_prefix('"') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut element = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '\\' => element.push(letters.next()?.1),
            '"' if is_quoted => return Some((element, text[place + 1..].trim_start())),
            ',' if !is_quoted => return bare_element(&element).map(|element| (element, &text[place..])),
            '{' | '}' | '"' if !is_quoted => return None,
            letter => element.push(letter),
        }
    }
    if is_quoted { None } else { bare_element(&element).map(|element| (element, "")) }
}

/// An element without quotes: it ends with its last letter, and NULL is none.
fn bare_element(element: &str) -> Option<String> {
    let element = element.trim_end();
    (!element.is_empty() && !element.eq_ignore_ascii_case("null")).then(|| element.to_owned())
}
