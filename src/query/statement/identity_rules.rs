//! `SHOW IDENTITY RULES` and `CREATE OR REPLACE IDENTITY RULES FROM 'text'`, which no other parser knows.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};

/// A statement about the rules of identity stitching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::query) enum RulesStatement {
    Show,
    Replace(String),
}

const FORM: &str = "write CREATE OR REPLACE IDENTITY RULES FROM 'text', with the text of the rules in single quotes (a \
                    quote within is written twice) or between $$ and $$; `convoke identity rules FILE` sends a file";

/// The statement, if it is one of these.
///
/// # Errors
/// `InvalidInput` for one that begins as these do and goes on otherwise.
pub(super) fn read(tokens: &[TokenWithSpan]) -> Result<Option<RulesStatement>> {
    let mut tokens: Vec<&Token> = tokens
        .iter()
        .map(|token| &token.token)
        .filter(|token| !matches!(token, Token::Whitespace(_) | Token::EOF))
        .collect();
    while tokens.last() == Some(&&Token::SemiColon) {
        tokens.pop();
    }
    if let Some(rest) = behind(&tokens, &["SHOW", "IDENTITY", "RULES"]) {
        return match rest {
            [] => Ok(Some(RulesStatement::Show)),
            _ => Err(Error::invalid("SHOW IDENTITY RULES takes nothing behind it: it shows all of the rules")),
        };
    }
    let starts: [&[&str]; 2] = [&["CREATE", "OR", "REPLACE", "IDENTITY", "RULES"], &["CREATE", "IDENTITY", "RULES"]];
    let Some(rest) = starts.iter().find_map(|start| behind(&tokens, start)) else { return Ok(None) };
    // A workspace has rules always: there is nothing to create beside them.
    if behind(&tokens, starts[0]).is_none() {
        return Err(Error::invalid(format!("a workspace has identity rules always: {FORM}")));
    }
    match behind(rest, &["FROM"]) {
        Some([Token::SingleQuotedString(text)]) => Ok(Some(RulesStatement::Replace(text.clone()))),
        Some([Token::DollarQuotedString(text)]) => Ok(Some(RulesStatement::Replace(text.value.clone()))),
        _ => Err(Error::invalid(FORM)),
    }
}

/// What stands behind these words, in any case.
fn behind<'a, 't>(tokens: &'a [&'t Token], words: &[&str]) -> Option<&'a [&'t Token]> {
    let (start, rest) = tokens.split_at_checked(words.len())?;
    let is_word = |(token, word): (&&Token, &&str)| matches!(token, Token::Word(held) if held.quote_style.is_none() && held.value.eq_ignore_ascii_case(word));
    start.iter().zip(words).all(is_word).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::{Parsed, parse};
    use super::*;

    fn read(sql: &str) -> Result<RulesStatement> {
        match parse(sql)? {
            Parsed::IdentityRules(statement) => Ok(statement),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rules_are_shown_and_replaced() {
        for sql in ["SHOW IDENTITY RULES", "show  identity\nrules ;", "/* all */ SHOW IDENTITY RULES -- of them"] {
            assert_eq!(read(sql).unwrap(), RulesStatement::Show, "{sql}");
        }
        let rules = RulesStatement::Replace("version: 1 # it's '\\n'\n".to_owned());
        for sql in [
            "CREATE OR REPLACE IDENTITY RULES FROM 'version: 1 # it''s ''\\n''\n'",
            "create or replace identity rules from $$version: 1 # it's '\\n'\n$$;",
        ] {
            assert_eq!(read(sql).unwrap(), rules, "{sql}");
        }
    }

    #[test]
    fn another_form_is_refused_with_the_right_one() {
        for sql in [
            "CREATE IDENTITY RULES FROM 'x'",
            "CREATE OR REPLACE IDENTITY RULES",
            "CREATE OR REPLACE IDENTITY RULES FROM x",
            "CREATE OR REPLACE IDENTITY RULES FROM 'x', 'y'",
            "CREATE OR REPLACE IDENTITY RULES FROM ?",
        ] {
            let refusal = read(sql).unwrap_err().to_string();
            assert!(refusal.contains("CREATE OR REPLACE IDENTITY RULES FROM 'text'"), "{sql}: {refusal}");
        }
        assert!(read("SHOW IDENTITY RULES LIKE 'x'").unwrap_err().to_string().contains("takes nothing"));
    }

    #[test]
    fn tables_of_these_names_are_tables() {
        assert!(matches!(parse("SELECT identity, rules FROM identity_rules").unwrap(), Parsed::Query { .. }));
    }
}
