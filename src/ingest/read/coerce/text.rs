//! Text values: blanks, emptiness, and how a value is shown in a message.

/// Text without blanks around it; `None` when nothing is left.
pub fn trimmed(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty()).then_some(text)
}

/// Text as it is; `None` when it is empty or blank.
pub fn filled(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

/// A value in quotes for a message, cut where it gets long.
pub fn shown(value: &str) -> String {
    const SHOWN_CHARS: usize = 100;
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("'{}...'", &value[..end]),
        None => format!("'{value}'"),
    }
}
