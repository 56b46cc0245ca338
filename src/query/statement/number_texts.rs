//! Numbers as the tokenizer leaves them: `_` between digits, those of other bases, and words that begin where they end.
//!
//! The planner reads neither `1_000` nor, as a number, `0x10`, which sqlparser 0.62 takes for bytes; of `0b101` and
//! `1.5e` it makes a number and its alias.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Characters of `0x`, and of the letter and the quotes of `X'10'`: the tokenizer makes one token of both.
const BASE_WIDTH: u64 = 2;

/// The letter behind a 0, and the base that it names.
const BASES: [(char, u32); 3] = [('b', 2), ('o', 8), ('x', 16)];

/// The token, of a number without what only makes it legible.
pub(super) fn read(token: TokenWithSpan) -> TokenWithSpan {
    let number = match &token.token {
        // One that ends in it is refused below.
        Token::Number(digits, long) if digits.contains('_') && !digits.ends_with('_') => {
            Some(Token::Number(digits.replace('_', ""), *long))
        }
        Token::HexStringLiteral(digits) if is_number(&token, digits) => {
            u128::from_str_radix(&digits.replace('_', ""), 16).ok().map(|value| Token::Number(value.to_string(), false))
        }
        _ => None,
    };
    match number {
        Some(number) => TokenWithSpan { token: number, span: token.span },
        None => token,
    }
}

/// Whether the token is written `0x10`, by the room that it takes in its line.
fn is_number(token: &TokenWithSpan, digits: &str) -> bool {
    let (start, end) = (token.span.start, token.span.end);
    start.line == end.line && end.column.checked_sub(start.column) == Some(BASE_WIDTH + digits.chars().count() as u64)
}

/// Puts a 0 and the word of its base and digits together: `0b101`, `0o17`, `0XFF`.
pub(super) fn join_bases(tokens: &mut Vec<TokenWithSpan>) {
    tokens.dedup_by(|tail, zero| match based_number(&zero.token, &tail.token) {
        Some(value) => {
            zero.token = Token::Number(value.to_string(), false);
            zero.span.end = tail.span.end;
            true
        }
        None => false,
    });
}

/// What both tokens say together: between them stands nothing, not even a blank, which would be a token.
fn based_number(zero: &Token, tail: &Token) -> Option<u128> {
    let (Token::Number(digits, false), Token::Word(word)) = (zero, tail) else { return None };
    if digits != "0" || word.quote_style.is_some() {
        return None;
    }
    let letter = word.value.chars().next()?;
    let (name, base) = BASES.into_iter().find(|(name, _)| letter.eq_ignore_ascii_case(name))?;
    let digits = &word.value[name.len_utf8()..];
    if digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    u128::from_str_radix(&digits.replace('_', ""), base).ok()
}

/// # Errors
/// `InvalidInput` for a number that ends in `_` or goes on with a word, which would be its alias, and for one of base 16
/// that is none. The tokens are those of the text.
pub(super) fn check(tokens: &[TokenWithSpan], sql: &str) -> Result<()> {
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        match (&token.token, next.map(|next| &next.token)) {
            (Token::Number(digits, _), Some(Token::Word(word)))
                if word.quote_style.is_none() && (word.value.starts_with('_') || digits.ends_with('_')) =>
            {
                return Err(Error::invalid(format!(
                    "the number {digits}{word}: _ stands between two digits, as in 1_000, and not in an exponent"
                )));
            }
            (Token::Number(..), Some(Token::Word(word))) if word.quote_style.is_none() => {
                return Err(trailing_junk(&written(token, sql), &word.value));
            }
            (Token::Number(digits, _), _) if digits.ends_with('_') => {
                return Err(Error::invalid(format!("the number {digits}: _ stands between two digits, as in 1_000")));
            }
            (Token::HexStringLiteral(digits), _) if is_number(token, digits) => {
                return Err(Error::invalid(format!(
                    "the number 0x{digits}: of base 16 are 1 to 32 digits, and X'{digits}' is bytes"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

/// PostgreSQL's words for it, and what may have been meant.
fn trailing_junk(number: &str, word: &str) -> Error {
    let names_base = |letter: char| BASES.iter().any(|(name, _)| letter.eq_ignore_ascii_case(name));
    let hint = match word.chars().next() {
        Some(letter) if number == "0" && names_base(letter) => {
            "; numbers of base 2, 8 and 16 are written 0b101, 0o17 and 0xff, with 128 bits at most"
        }
        Some('e' | 'E') => "; an exponent has digits, as in 1.5e3",
        _ => "",
    };
    Error::invalid(format!(
        "trailing junk after the number {number}: {number}{word}. A name stands behind a blank or AS, as in {number} AS \
         {word}, and a name that begins with a digit in double quotes{hint}"
    ))
}

/// The token as it stands in the text; numbers stand in one line.
fn written(token: &TokenWithSpan, sql: &str) -> String {
    let (start, end) = (token.span.start, token.span.end);
    let place = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = sql.split('\n').nth(place(start.line)).unwrap_or_default();
    let width = usize::try_from(end.column.saturating_sub(start.column)).unwrap_or(usize::MAX);
    line.chars().skip(place(start.column)).take(width).collect()
}
