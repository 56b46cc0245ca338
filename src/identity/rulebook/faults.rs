//! What is wrong with a text of rules: all of it, up to a bound, so that a user mends it in one go.

use crate::error::{Error, shown};

/// Faults that are told at most, and their bytes: a message travels in a header, which has a limit.
const MAX_TOLD: usize = 20;
const MAX_TOLD_BYTES: usize = 4_000;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    line: Option<usize>,
    text: String,
}

impl Fault {
    /// `what` goes on where the key leaves off: "is missing". Without a key the line is meant.
    pub(super) fn at(line: usize, key: &str, what: String) -> Self {
        let text = match key {
            "" => what,
            // A key may be any text.
            key => format!("{} {what}", shown(key)),
        };
        Self { line: Some(line), text }
    }

    /// Of the text as a whole.
    pub(super) fn of_text(what: String) -> Self {
        Self { line: None, text: what }
    }
}

/// The faults of a text, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Faults {
    faults: Vec<Fault>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// One error that tells all of them, by their lines.
    pub(super) fn into_error(mut self) -> Error {
        self.faults.sort_by_key(|fault| fault.line);
        let mut told: Vec<String> = Vec::new();
        let mut bytes = 0;
        for line in self.faults.iter().take(MAX_TOLD).map(Self::describe) {
            bytes += line.len();
            if bytes > MAX_TOLD_BYTES && !told.is_empty() {
                break;
            }
            told.push(line);
        }
        let rest = match self.faults.len() - told.len() {
            0 => String::new(),
            rest => format!("\nand {rest} more"),
        };
        Error::invalid(format!("the identity rules cannot be used:\n{}{rest}", told.join("\n")))
    }

    fn describe(fault: &Fault) -> String {
        match fault.line {
            Some(line) => format!("line {line}: {}", fault.text),
            None => fault.text.clone(),
        }
    }
}
