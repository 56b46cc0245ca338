//! `jaro_winkler(a, b)`, `soundex(text)` and `pinyin(text)`: how alike two texts are, and keys under which names that
//! sound alike meet.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::arguments::Arguments;
use super::declared::{Declaration, any_text};
use super::{pinyin, soundex};

pub(super) static JARO_WINKLER: Declaration = Declaration {
    name: "jaro_winkler",
    arguments: &[("a", "a text"), ("b", "another text")],
    returns: DataType::Float64,
    may_find_nothing: false,
    check: any_text,
    evaluate: similarities,
    description: "How alike two texts are, from 0 (nothing in common) to 1 (equal), by Jaro and Winkler: letters that agree \
                  at about the same place, and a bonus for a common beginning of up to four letters. Upper case and lower \
                  case differ: compare lower(a) with lower(b) where they should not. levenshtein(a, b) counts edits.",
    example: "SELECT jaro_winkler('martha', 'marhta')",
};

pub(super) static SOUNDEX: Declaration = Declaration {
    name: "soundex",
    arguments: &[("text", "a name in Latin letters")],
    returns: DataType::Utf8,
    may_find_nothing: true,
    check: any_text,
    evaluate: |arguments| arguments.map(|text| soundex::soundex(text).map(Cow::Owned)),
    description: "The American Soundex code of a name: its first letter and three digits, the same for names that sound \
                  alike in English. Accents are left off, all but letters is skipped. NULL for a text without Latin \
                  letters, so that such names do not meet in a join.",
    example: "SELECT soundex('Robert'), soundex('Rupert')",
};

pub(super) static PINYIN: Declaration = Declaration {
    name: "pinyin",
    arguments: &[("text", "a Chinese name")],
    returns: DataType::Utf8,
    may_find_nothing: true,
    check: any_text,
    evaluate: |arguments| arguments.map(|text| pinyin::pinyin(text).map(Cow::Owned)),
    description: "A Chinese name in pinyin: syllables without tones, in lower case, separated by spaces; v stands for \
                  \u{fc}. The text is read as a name: a surname at its beginning has the reading of surnames ('单' is \
                  shan), every other character its most common one. Other letters and digits stay, in lower case. \
                  Different names share a pinyin: compare by it, do not identify by it. NULL for a text without letters.",
    example: "SELECT pinyin('单田芳')",
};

fn similarities(arguments: &Arguments) -> Result<ArrayRef> {
    let (left, right) = (arguments.texts(0)?, arguments.texts(1)?);
    let mut results = Float64Builder::with_capacity(arguments.rows);
    for row in 0..arguments.rows {
        let pair = left.get(row).zip(right.get(row));
        results.append_option(pair.map(|(left, right)| strsim::jaro_winkler(left, right)));
    }
    Ok(Arc::new(results.finish()))
}
