//! Which words of SQL a statement holds: rewrites that look for others need not walk through it.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::literals::is_double;

/// Words of a statement, wherever they stand.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Words {
    /// ROLLUP or CUBE.
    pub(super) sets: bool,
    /// ZONE, of AT TIME ZONE.
    pub(super) zone: bool,
    /// A number that is a DOUBLE as it is written, or VALUES, in which casts are told apart.
    pub(super) numbers: bool,
    /// UNNEST.
    pub(super) unnest: bool,
    /// ORDER behind a closing parenthesis.
    pub(super) sorted_parentheses: bool,
}

impl Words {
    pub(super) fn of(tokens: &[TokenWithSpan]) -> Self {
        let mut words = Self::default();
        let mut closed = false;
        for token in tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))) {
            match &token.token {
                Token::Word(word) => match word.keyword {
                    Keyword::ROLLUP | Keyword::CUBE => words.sets = true,
                    Keyword::ZONE => words.zone = true,
                    Keyword::UNNEST => words.unnest = true,
                    Keyword::ORDER if closed => words.sorted_parentheses = true,
                    Keyword::VALUES | Keyword::VALUE => words.numbers = true,
                    _ => {}
                },
                Token::Number(digits, _) => words.numbers |= is_double(digits),
                _ => {}
            }
            closed = token.token == Token::RParen;
        }
        words
    }
}
