//! Text values: blanks, emptiness, and how a value is shown in a message.

pub use crate::error::shown;

/// Text without blanks around it; `None` when nothing is left.
pub fn trimmed(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// Text as it is; `None` when it is empty or blank.
pub fn filled(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}
