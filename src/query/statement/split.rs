//! Cuts a text into statements at each `;` that stands neither in quotes nor in a comment.

use datafusion::sql::sqlparser::tokenizer::{Location, Token, Tokenizer};

use super::dialect::ConvokeDialect;

/// A text cut at its semicolons.
#[derive(Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// Without their semicolons; empty ones are left out.
    pub statements: Vec<&'a str>,
    /// What stands after the last semicolon: a statement that is not complete. Empty for blanks and comments alone.
    pub rest: &'a str,
}

/// Never fails: quotes and comments without an end are part of the rest.
pub fn split(text: &str) -> Split<'_> {
    let mut tokens = Vec::new();
    // An error means that the rest is not complete; the tokens before it are there.
    let ended = Tokenizer::new(&ConvokeDialect, text).tokenize_with_location_into_buf(&mut tokens).is_ok();
    let lines = line_starts(text);
    let (mut statements, mut start, mut is_empty) = (Vec::new(), 0, true);
    for token in &tokens {
        match &token.token {
            Token::SemiColon => {
                let end = offset(text, &lines, token.span.start);
                if !is_empty {
                    statements.push(text[start..end].trim());
                }
                (start, is_empty) = (end + 1, true);
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => is_empty = false,
        }
    }
    let rest = if is_empty && ended { "" } else { text[start..].trim() };
    Split { statements, rest }
}

fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// The byte of a location, which counts lines and characters from 1.
fn offset(text: &str, lines: &[usize], location: Location) -> usize {
    let line = lines.get((location.line as usize).saturating_sub(1)).copied().unwrap_or(text.len());
    let within = text[line..].char_indices().nth((location.column as usize).saturating_sub(1));
    within.map_or(text.len(), |(at, _)| line + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<&str>, &str) {
        let split = split(text);
        (split.statements, split.rest)
    }

    #[test]
    fn semicolons_end_statements() {
        assert_eq!(cut("SELECT 1; SELECT\n2 ;\n;; "), (vec!["SELECT 1", "SELECT\n2"], ""));
        assert_eq!(cut("SELECT 1"), (vec![], "SELECT 1"));
        assert_eq!(cut(" \n"), (vec![], ""));
    }

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        let text = "SELECT ';' AS \"a;b\" -- c;\n, /* ; */ 'it''s;'; SELECT 2;";
        assert_eq!(cut(text), (vec!["SELECT ';' AS \"a;b\" -- c;\n, /* ; */ 'it''s;'", "SELECT 2"], ""));
    }

    #[test]
    fn characters_of_several_bytes_do_not_shift_the_cut() {
        assert_eq!(cut("SELECT '衣服' AS é,\n'ü'; SELECT 2"), (vec!["SELECT '衣服' AS é,\n'ü'"], "SELECT 2"));
    }

    #[test]
    fn what_has_no_end_is_the_rest() {
        assert_eq!(cut("SELECT 1; SELECT 'a;"), (vec!["SELECT 1"], "SELECT 'a;"));
        assert_eq!(cut("SELECT 1; /* a;"), (vec!["SELECT 1"], "/* a;"));
    }

    #[test]
    fn comments_alone_are_no_statement() {
        assert_eq!(cut("-- nothing\n;/* here */ ; -- either"), (vec![], ""));
        assert_eq!(cut("-- one\nSELECT 1;"), (vec!["-- one\nSELECT 1"], ""));
    }
}
