//! Which words of SQL a statement holds: rewrites that look for others need not walk through it.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use super::literals::is_double;

/// Words of a statement, wherever they stand.
#[derive(Debug, Default, Clone, Copy)]
pub(in crate::query) struct Words {
    /// ROLLUP or CUBE.
    pub(super) sets: bool,
    /// FETCH.
    pub(super) fetch: bool,
    /// ZONE, of AT TIME ZONE.
    pub(super) zone: bool,
    /// What is read in another way: a number that is a DOUBLE as it is written, VALUES, a cast, INTERVAL, DISTINCT ON.
    pub(super) literals: bool,
    /// `#>` or `#>>`.
    pub(super) json_paths: bool,
    /// UNNEST.
    pub(super) unnest: bool,
    /// GROUP.
    pub(super) groups: bool,
    /// ORDER behind a closing parenthesis.
    pub(super) sorted_parentheses: bool,
    /// USING or NATURAL.
    pub(super) shared_keys: bool,
    /// SELECT or WITH behind an opening parenthesis.
    pub(super) nested: bool,
    /// ORDER, HAVING or QUALIFY.
    pub(super) sorts: bool,
    /// DISTINCT.
    pub(super) distinct: bool,
    /// WITH.
    pub(super) with: bool,
    /// REPLACE.
    pub(super) replaces: bool,
    /// REPLACE, EXCLUDE or EXCEPT, which may stand behind `*`.
    pub(super) star_options: bool,
    /// ROW, or parentheses with a comma that are neither arguments nor a list.
    pub(super) rows: bool,
}

impl Words {
    pub(super) fn of(tokens: &[TokenWithSpan]) -> Self {
        let mut words = Self::default();
        // Of each open parenthesis, whether it may be that of a row.
        let mut open: Vec<bool> = Vec::new();
        let mut before: Option<&Token> = None;
        for token in tokens.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_))) {
            match token {
                Token::Word(word) => {
                    words.note(word.keyword, before);
                    words.nested |=
                        matches!(word.keyword, Keyword::SELECT | Keyword::WITH) && before == Some(&Token::LParen);
                    if word.keyword == Keyword::SELECT && before == Some(&Token::LParen) {
                        open.pop();
                        open.push(false);
                    }
                }
                Token::Number(digits, _) => words.literals |= is_double(digits),
                Token::DoubleColon => words.literals = true,
                Token::HashArrow | Token::HashLongArrow => words.json_paths = true,
                Token::LParen => {
                    words.rows |= before.is_some_and(is_quoted_row);
                    open.push(!before.is_some_and(takes_list));
                }
                Token::RParen => drop(open.pop()),
                Token::Comma => words.rows |= open.last().is_some_and(|may_be_row| *may_be_row),
                _ => {}
            }
            before = Some(token);
        }
        words
    }

    fn note(&mut self, keyword: Keyword, before: Option<&Token>) {
        match keyword {
            Keyword::ROLLUP | Keyword::CUBE => self.sets = true,
            Keyword::FETCH => self.fetch = true,
            Keyword::ZONE => self.zone = true,
            Keyword::UNNEST => self.unnest = true,
            Keyword::GROUP => self.groups = true,
            Keyword::ORDER => {
                self.sorts = true;
                self.sorted_parentheses |= before == Some(&Token::RParen);
            }
            Keyword::HAVING | Keyword::QUALIFY => self.sorts = true,
            Keyword::USING | Keyword::NATURAL => self.shared_keys = true,
            Keyword::DISTINCT => self.distinct = true,
            Keyword::WITH => self.with = true,
            Keyword::REPLACE => (self.replaces, self.star_options) = (true, true),
            Keyword::EXCLUDE | Keyword::EXCEPT => self.star_options = true,
            Keyword::ROW => self.rows = true,
            Keyword::VALUES
            | Keyword::VALUE
            | Keyword::CAST
            | Keyword::TRY_CAST
            | Keyword::SAFE_CAST
            | Keyword::CONVERT
            | Keyword::INTERVAL => self.literals = true,
            Keyword::ON if is_keyword(before, Keyword::DISTINCT) => self.literals = true,
            _ => {}
        }
    }
}

fn is_keyword(token: Option<&Token>, keyword: Keyword) -> bool {
    matches!(token, Some(Token::Word(word)) if word.keyword == keyword)
}

/// Whether the word is `"row"`, which is the function of rows in quotes, too.
fn is_quoted_row(before: &Token) -> bool {
    matches!(before, Token::Word(word) if word.quote_style.is_some() && word.value.eq_ignore_ascii_case("row"))
}

/// Whether parentheses behind the word hold arguments, a list or a query. Of a word that is not known here they may be
/// those of a row: then the statement is walked once more, no worse.
fn takes_list(before: &Token) -> bool {
    let Token::Word(word) = before else { return false };
    matches!(
        word.keyword,
        Keyword::NoKeyword
            | Keyword::IN
            | Keyword::AS
            | Keyword::OVER
            | Keyword::FROM
            | Keyword::JOIN
            | Keyword::USING
            | Keyword::EXISTS
            | Keyword::FILTER
            | Keyword::VALUES
            | Keyword::COALESCE
            | Keyword::COUNT
            | Keyword::SUM
            | Keyword::MIN
            | Keyword::MAX
            | Keyword::AVG
            | Keyword::RANGE
            | Keyword::INTO
    )
}
