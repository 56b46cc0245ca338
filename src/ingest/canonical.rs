//! One spelling for each value, whatever it came by: a file, a `DoPut`, the synthetic shop. What differs in blanks around
//! it, in the case of a currency, or in `123.0` for 123, would be another customer, another order, another currency.
//!
//! Must not know identity or storage. Columns that are spelled so already are passed on as they are.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StringArray, StructArray};

use super::read::{trim_blanks, whole_number_text};
use crate::error::Result;
use crate::identity::BlockedValues;
use crate::settings::currency_code;

/// How the values of a column are spelled.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    /// Without blanks around it.
    Name,
    /// Likewise, and whole numbers by their digits.
    Identifier,
    /// Likewise, in lower case.
    Keyword,
    /// Likewise, in upper case; what programs write for no value is none.
    Currency,
}

/// The columns whose values have a spelling; `identifiers` has one within.
const SPELLINGS: [(&str, Spelling); 13] = [
    ("message_id", Spelling::Identifier),
    ("type", Spelling::Keyword),
    ("event", Spelling::Name),
    ("anonymous_id", Spelling::Identifier),
    ("user_id", Spelling::Identifier),
    ("channel", Spelling::Name),
    ("source", Spelling::Name),
    ("brand", Spelling::Name),
    ("store_id", Spelling::Identifier),
    ("campaign_id", Spelling::Identifier),
    ("order_id", Spelling::Identifier),
    ("currency", Spelling::Currency),
    ("product_id", Spelling::Identifier),
];

const IDENTIFIERS: &str = "identifiers";

/// The same rows, each value in its one spelling. A value of blanks is NULL.
pub(super) fn spell(input: &RecordBatch, blocked: &BlockedValues) -> Result<RecordBatch> {
    let schema = input.schema();
    let columns = schema.fields().iter().zip(input.columns()).map(|(field, column)| {
        let spelling = SPELLINGS.iter().find(|(name, _)| name == field.name()).map(|(_, spelling)| *spelling);
        match (spelling, column.as_string_opt::<i32>()) {
            (Some(spelling), Some(texts)) => Ok(spell_texts(texts, spelling, blocked)),
            _ if field.name() == IDENTIFIERS => spell_identifiers(column, blocked),
            _ => Ok(Arc::clone(column)),
        }
    });
    Ok(RecordBatch::try_new(schema.clone(), columns.collect::<Result<_>>()?)?)
}

fn spell_texts(texts: &StringArray, spelling: Spelling, blocked: &BlockedValues) -> ArrayRef {
    if texts.iter().flatten().all(|text| is_spelled(text, spelling, blocked)) {
        return Arc::new(texts.clone());
    }
    Arc::new(texts.iter().map(|text| spell_text(text?, spelling, blocked)).collect::<StringArray>())
}

fn is_spelled(text: &str, spelling: Spelling, blocked: &BlockedValues) -> bool {
    spell_text(text, spelling, blocked).is_some_and(|spelled| spelled == text)
}

fn spell_text<'a>(text: &'a str, spelling: Spelling, blocked: &BlockedValues) -> Option<Cow<'a, str>> {
    let text = trim_blanks(text);
    if text.is_empty() {
        return None;
    }
    match spelling {
        Spelling::Name => Some(Cow::Borrowed(text)),
        Spelling::Identifier => Some(whole_number_text(text)),
        Spelling::Keyword if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Some(Cow::Owned(text.to_ascii_lowercase()))
        }
        Spelling::Keyword => Some(Cow::Borrowed(text)),
        // "NaN" has three letters, too.
        Spelling::Currency if names_no_currency(text, blocked) => None,
        // What is no currency stays as it is, for the message about it.
        Spelling::Currency if currency_code(text).is_none() || text.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Some(Cow::Borrowed(text))
        }
        Spelling::Currency => Some(Cow::Owned(text.to_ascii_uppercase())),
    }
}

/// Whether a text in place of a currency is what programs write for no value: `NULL`, `n/a`, `-`, `()`.
///
/// Not all that names no person: a sign such as `$` means a currency, and a digit means something. Taken for none, the
/// amount would be one of the base currency.
fn names_no_currency(text: &str, blocked: &BlockedValues) -> bool {
    const NOTHING: &str = "-–—−－_()<>[]{}\"'` ";
    let is_word = text.chars().any(char::is_alphabetic) && !text.chars().any(char::is_numeric);
    (is_word || text.chars().all(|character| NOTHING.contains(character))) && blocked.contains(text)
}

/// The list column of (type, value) structs, spelled within. A value of blanks is empty: there are no NULLs in them.
fn spell_identifiers(column: &ArrayRef, blocked: &BlockedValues) -> Result<ArrayRef> {
    let Some((lists, pairs)) =
        column.as_list_opt::<i32>().and_then(|lists| Some((lists, lists.values().as_struct_opt()?)))
    else {
        return Ok(Arc::clone(column));
    };
    let spellings = [Spelling::Keyword, Spelling::Identifier].into_iter();
    let texts = pairs.columns().iter().zip(spellings).map(|(part, spelling)| -> ArrayRef {
        match part.as_string_opt::<i32>() {
            Some(texts) if texts.iter().flatten().all(|text| is_spelled(text, spelling, blocked)) => Arc::clone(part),
            Some(texts) => {
                let spell = |text| spell_text(text, spelling, blocked).unwrap_or_default();
                Arc::new(texts.iter().map(|text| text.map(spell)).collect::<StringArray>())
            }
            None => Arc::clone(part),
        }
    });
    let spelled = StructArray::try_new(pairs.fields().clone(), texts.collect(), pairs.nulls().cloned())?;
    let arrow::datatypes::DataType::List(element) = lists.data_type() else { return Ok(Arc::clone(column)) };
    let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
    Ok(Arc::new(ListArray::try_new(Arc::clone(element), offsets, Arc::new(spelled), nulls)?))
}

#[cfg(test)]
mod tests;
