//! Numbers as the tokenizer leaves them: `_` between digits, and those of base 16.
//!
//! The planner reads neither `1_000` nor, as a number, `0x10`, which sqlparser 0.62 takes for bytes.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// Characters of `0x`, and of the letter and the quotes of `X'10'`: the tokenizer makes one token of both.
const BASE_WIDTH: u64 = 2;

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

/// # Errors
/// `InvalidInput` for a number that ends in `_` or goes on with a word that begins with it, which would be its alias, and
/// for one of base 16 that is none.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<()> {
    for (index, token) in tokens.iter().enumerate() {
        match (&token.token, tokens.get(index + 1).map(|next| &next.token)) {
            (Token::Number(digits, _), Some(Token::Word(word)))
                if word.quote_style.is_none() && (word.value.starts_with('_') || digits.ends_with('_')) =>
            {
                return Err(Error::invalid(format!(
                    "the number {digits}{word}: _ stands between two digits, as in 1_000, and not in an exponent"
                )));
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
