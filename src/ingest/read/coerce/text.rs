//! Text values: blanks around them, emptiness, and how a value is shown in a message.

/// Text without blanks around it.
///
/// Blanks are what Unicode calls white space (the no-break space and the ideographic space among them), control
/// characters, and signs without a width: byte order marks, joiners, marks of the writing direction, which come along
/// when a number is copied out of a web page or an address book.
pub fn trim_blanks(text: &str) -> &str {
    match text.as_bytes() {
        // Nearly every value: nothing to look for.
        [0x21..=0x7e] => text,
        [0x21..=0x7e, .., 0x21..=0x7e] => text,
        _ => text.trim_matches(is_blank),
    }
}

fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

pub use crate::error::shown;

/// Text without blanks around it; `None` when nothing is left.
pub fn trimmed(text: &str) -> Option<&str> {
    let text = trim_blanks(text);
    (!text.is_empty()).then_some(text)
}
