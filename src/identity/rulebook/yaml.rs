//! YAML text to a tree in which each value knows its line.
//!
//! Knows nothing of identity. The text may come from anybody: its size and depth are bounded, and what makes a small text
//! a large tree (anchors and their aliases) or other values than are written (tags) is refused.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::faults::{Fault, Faults};

/// Bytes of a text at most.
pub(super) const MAX_BYTES: usize = 512 << 10;
/// Lists and mappings within each other.
const MAX_DEPTH: usize = 16;

/// A value and the line where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Written without quotes, so that it may be a number, a truth or nothing.
    Plain(String),
    Quoted(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) value: Node,
}

impl Value {
    /// What it is, for those who expected something else.
    pub(super) fn kind(&self) -> String {
        match self {
            Value::Plain(text) if is_nothing(text) => "nothing".to_owned(),
            Value::Plain(text) | Value::Quoted(text) => crate::error::shown(text),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping of keys".to_owned(),
        }
    }
}

/// Whether a value without quotes says that there is none.
pub(super) fn is_nothing(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// A list or mapping whose end has not come yet.
enum Open {
    List { line: usize, items: Vec<Node> },
    Map { line: usize, entries: Vec<Entry>, keys: HashSet<String>, key: Option<(String, usize)> },
}

/// The one document of the text; `None` for a text that says nothing, and where there are faults that end the reading.
pub(super) fn read(text: &str, faults: &mut Faults) -> Option<Node> {
    if text.len() > MAX_BYTES {
        faults.push(Fault::of_text(format!("the text is longer than {MAX_BYTES} bytes")));
        return None;
    }
    let mut reading = Reading { open: Vec::new(), root: None, documents: 0, faults };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => reading.take(event, &span),
            Err(error) => Err(syntax(&error)),
        };
        if let Err(fault) = step {
            reading.faults.push(fault);
            return None;
        }
    }
    reading.root
}

fn syntax(error: &ScanError) -> Fault {
    Fault::at(error.marker().line(), "", format!("is no YAML: {}", error.info()))
}

struct Reading<'f> {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    faults: &'f mut Faults,
}

impl Reading<'_> {
    /// # Errors
    /// A fault behind which nothing can be read.
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let line = span.start.line();
        match event {
            Event::Alias(_) => Err(refused(line, "aliases (*name)")),
            Event::Scalar(_, _, anchor, _) | Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                Err(refused(line, "anchors (&name)"))
            }
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                Err(refused(line, "tags (!name)"))
            }
            Event::Scalar(text, style, ..) => self.scalar(text.into_owned(), style, line),
            Event::SequenceStart(..) => self.begin(Open::List { line, items: Vec::new() }, line),
            Event::MappingStart(..) => {
                let map = Open::Map { line, entries: Vec::new(), keys: HashSet::new(), key: None };
                self.begin(map, line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::DocumentStart(_) => {
                self.documents += 1;
                match self.documents {
                    1 => Ok(()),
                    _ => Err(Fault::at(line, "", "begins a second document (---): rules are one document".to_owned())),
                }
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, line: usize) -> Result<(), Fault> {
        if let Some(Open::Map { key: key @ None, keys, .. }) = self.open.last_mut() {
            if !keys.insert(text.clone()) {
                self.faults.push(Fault::at(line, &text, "stands twice in this mapping".to_owned()));
            }
            *key = Some((text, line));
            return Ok(());
        }
        let value = match style {
            ScalarStyle::Plain => Value::Plain(text),
            _ => Value::Quoted(text),
        };
        self.place(Node { line, value });
        Ok(())
    }

    fn begin(&mut self, open: Open, line: usize) -> Result<(), Fault> {
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(Fault::at(line, "", "has a list or a mapping in place of a key".to_owned()));
        }
        if self.open.len() == MAX_DEPTH {
            return Err(Fault::at(line, "", format!("is nested deeper than {MAX_DEPTH} lists and mappings")));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.open.pop() {
            Some(Open::List { line, items }) => self.place(Node { line, value: Value::List(items) }),
            Some(Open::Map { line, entries, .. }) => self.place(Node { line, value: Value::Map(entries) }),
            None => {}
        }
        Ok(())
    }

    /// Puts a value that is complete where it belongs.
    fn place(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, key, .. }) => {
                if let Some((key, line)) = key.take() {
                    entries.push(Entry { line, key, value: node });
                }
            }
            None => self.root = Some(node),
        }
    }
}

fn refused(line: usize, what: &str) -> Fault {
    Fault::at(line, "", format!("uses {what}: rules are written without them"))
}
