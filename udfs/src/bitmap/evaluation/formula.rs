//! Nested calls as one value: `bitmap_count(bitmap_and($1, bitmap_or($2, $3)))`, where `$1` is the first of a list of
//! arguments. It is written and read as that text, so that a plan that is printed or sent elsewhere carries all of it.
//!
//! Must not know: expressions of a plan, rows.

use std::fmt;

use arrow::datatypes::DataType;

use super::super::vocabulary::{Function, Kind, Meaning, find};
use crate::kernel::MAX_DEPTH;

/// An operand of a call.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// An argument of the whole, counted from 0.
    Leaf(usize),
    Call(Call),
}

/// A function and what it is called with.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) function: &'static Function,
    pub(super) operands: Vec<Node>,
}

/// Where a leaf is used: the function that was called with it, and the argument's position (from 1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub(super) function: &'static Function,
    pub(super) position: usize,
    /// How many calls lie around the leaf.
    pub(super) depth: usize,
}

impl Origin {
    /// Declared for this argument; the number of arguments has been checked.
    pub(super) fn kind(&self) -> Kind {
        self.function.kind(self.position - 1).unwrap_or(Kind::Set)
    }
}

impl Call {
    /// A call with its own arguments as leaves.
    pub(super) fn plain(function: &'static Function, arguments: usize) -> Self {
        Self { function, operands: (0..arguments).map(Node::Leaf).collect() }
    }

    /// Calls `visit` with each use of a leaf, in the order of the text.
    pub(super) fn for_each_leaf(&self, visit: &mut impl FnMut(usize, Origin)) {
        self.visit_leaves(1, visit);
    }

    fn visit_leaves(&self, depth: usize, visit: &mut impl FnMut(usize, Origin)) {
        for (place, operand) in self.operands.iter().enumerate() {
            match operand {
                Node::Leaf(leaf) => visit(*leaf, Origin { function: self.function, position: place + 1, depth }),
                Node::Call(call) => call.visit_leaves(depth + 1, visit),
            }
        }
    }

    /// Calls on the longest way from the root to a leaf.
    pub(super) fn depth(&self) -> usize {
        let inner = self.operands.iter().map(|operand| match operand {
            Node::Leaf(_) => 0,
            Node::Call(call) => call.depth(),
        });
        1 + inner.max().unwrap_or(0)
    }

    /// Where each of the leaves is used first; none for one that is not used.
    pub(super) fn origins(&self, leaves: usize) -> Vec<Option<Origin>> {
        let mut origins = vec![None; leaves];
        self.for_each_leaf(&mut |leaf, origin| {
            if let Some(first @ None) = origins.get_mut(leaf) {
                *first = Some(origin);
            }
        });
        origins
    }

    /// Checks that the leaves are these and have the types that their places ask for; the error is the fault.
    pub(super) fn check(&self, types: &[&DataType]) -> Result<(), String> {
        let mut fault = None;
        let mut used = vec![false; types.len()];
        self.for_each_leaf(&mut |leaf, origin| {
            let Some((given, used)) = types.get(leaf).zip(used.get_mut(leaf)) else {
                fault.get_or_insert(format!("${} has no argument", leaf + 1));
                return;
            };
            *used = true;
            // An untyped NULL may stand anywhere.
            let is_right = **given == DataType::Null || origin.kind().accepted(given).as_ref() == Some(given);
            if !is_right {
                let name = origin.function.name;
                fault.get_or_insert(format!("argument {} of {name} cannot be ${}: {given}", origin.position, leaf + 1));
            }
        });
        if let Some(leaf) = used.iter().position(|used| !used) {
            fault.get_or_insert(format!("${} is not used", leaf + 1));
        }
        fault.map_or(Ok(()), Err)
    }

    /// Reads what `Display` writes; the error is the fault.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (node, rest) = parse_node(text, 0)?;
        match node {
            Node::Call(call) if rest.is_empty() => Ok(call),
            Node::Call(_) => Err(format!("'{rest}' follows the end")),
            Node::Leaf(_) => Err("it is no call".to_owned()),
        }
    }
}

fn parse_node(text: &str, depth: usize) -> Result<(Node, &str), String> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('$') {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, rest) = rest.split_at(end);
        let leaf = digits.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let leaf = leaf.ok_or_else(|| format!("'${digits}' is no argument; they are $1, $2, ..."))?;
        return Ok((Node::Leaf(leaf), rest.trim_start()));
    }
    if depth >= MAX_DEPTH {
        return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
    }
    let (name, rest) = text.split_once('(').ok_or_else(|| format!("'{text}' is neither a call nor an argument"))?;
    let function = find(name.trim_end()).ok_or_else(|| format!("'{name}' is no function of this family"))?;
    let (operands, rest) = parse_operands(rest, depth)?;
    if !function.takes(operands.len()) {
        return Err(format!("{} has {} arguments", function.syntax, operands.len()));
    }
    for (place, operand) in operands.iter().enumerate() {
        if let Node::Call(call) = operand
            && (function.kind(place) != Some(Kind::Set) || !matches!(call.function.meaning, Meaning::Set(_)))
        {
            return Err(format!("argument {} of {} cannot be {}", place + 1, function.name, call.function.name));
        }
    }
    Ok((Node::Call(Call { function, operands }), rest))
}

/// What stands between parentheses, the first of which has been read.
fn parse_operands(mut text: &str, depth: usize) -> Result<(Vec<Node>, &str), String> {
    let mut operands = Vec::new();
    loop {
        let (operand, rest) = parse_node(text, depth + 1)?;
        operands.push(operand);
        if let Some(rest) = rest.strip_prefix(')') {
            return Ok((operands, rest.trim_start()));
        }
        text = rest.strip_prefix(',').ok_or_else(|| format!("',' or ')' is missing before '{rest}'"))?;
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Leaf(leaf) => write!(f, "${}", leaf + 1),
            Node::Call(call) => call.fmt(f),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name)?;
        for (place, operand) in self.operands.iter().enumerate() {
            write!(f, "{}{operand}", if place == 0 { "" } else { ", " })?;
        }
        f.write_str(")")
    }
}
