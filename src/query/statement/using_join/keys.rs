//! The keys that the sides of joins share, and what each stands for.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, ObjectName, ObjectNamePart, Query, VisitMut, VisitorMut,
};

use super::super::compose::call_of;
use super::super::normalize;
use super::super::walk::visit_mut;
use super::refusal;
use crate::error::Result;

/// A relation by the name that qualifies its columns.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) name: ObjectName,
    /// `None` where the text does not tell.
    pub(super) columns: Option<Vec<String>>,
}

impl Side {
    fn column(&self, key: &Ident) -> Expr {
        let table = self.name.0.iter().filter_map(ObjectNamePart::as_ident);
        Expr::CompoundIdentifier(table.chain([key]).cloned().collect())
    }

    pub(super) fn has(&self, key: &str) -> Option<bool> {
        self.columns.as_ref().map(|columns| columns.iter().any(|column| column == key))
    }
}

/// A key that the text names without a table.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: String,
    /// `None` where the text does not tell which table has it, as in `shown_in`.
    pub(super) value: Option<Expr>,
    /// Where `*` shows it.
    pub(super) shown_in: Option<ObjectName>,
    /// Where `*` leaves it out.
    pub(super) hidden_in: Vec<ObjectName>,
}

/// Which side of a join a key is taken from.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeySide {
    Left,
    Right,
    Either,
}

/// Relations in their order, and the keys that they share.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) sides: Vec<Side>,
    pub(super) keys: Vec<Key>,
}

impl Keys {
    pub(super) fn of(side: Side) -> Self {
        Self { sides: vec![side], keys: Vec::new() }
    }

    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub(super) fn value(&self, name: &Ident) -> Option<&Expr> {
        self.key(&normalize(name)).and_then(|key| key.value.as_ref())
    }

    /// Whether `table.*` may show a column of that name.
    pub(super) fn shows(&self, table: &ObjectName, column: &str) -> bool {
        let is_it = |side: &&Side| names_of(&side.name) == names_of(table);
        self.sides.iter().find(is_it).is_some_and(|side| side.has(column).unwrap_or(true))
    }

    /// The relations of both, which share nothing.
    pub(super) fn with(mut self, other: Self) -> Self {
        self.sides.extend(other.sides);
        self.keys.extend(other.keys);
        self
    }

    /// The relations of both, which share the names, and what is equal in them: `None` for a name of which the text does
    /// not tell the tables.
    pub(super) fn join(mut self, mut right: Self, names: &[Ident], side: KeySide) -> Result<(Self, Vec<Option<Expr>>)> {
        let mut equal = Vec::with_capacity(names.len());
        let mut shared = Vec::with_capacity(names.len());
        for name in names {
            let (left_key, right_key) = (self.take(name), right.take(name));
            let hidden = right_key.shown_in.ok_or_else(refusal)?;
            let hidden_in = left_key.hidden_in.into_iter().chain(right_key.hidden_in).chain([hidden]).collect();
            let both = left_key.value.clone().zip(right_key.value.clone());
            equal.push(both.clone().map(|(left, right)| binary(left, BinaryOperator::Eq, right)));
            let value = match side {
                KeySide::Left => left_key.value,
                KeySide::Right => right_key.value,
                KeySide::Either => both.map(|(left, right)| call_of("coalesce", vec![left, right])),
            };
            shared.push(Key { name: left_key.name, value, shown_in: left_key.shown_in, hidden_in });
        }
        self.keys.extend(shared);
        Ok((self.with(right), equal))
    }

    /// The key of that name: one that these relations share already, or a column of one of them.
    fn take(&mut self, name: &Ident) -> Key {
        let normalized = normalize(name);
        if let Some(place) = self.keys.iter().position(|key| key.name == normalized) {
            return self.keys.swap_remove(place);
        }
        let owner = owner(&normalized, &self.sides);
        Key {
            name: normalized,
            value: owner.map(|owner| owner.column(name)),
            shown_in: owner.map(|owner| owner.name.clone()),
            hidden_in: Vec::new(),
        }
    }

    /// Puts the keys' values in the place of their names, but not inside subqueries, which have names of their own.
    pub(super) fn replace_in(&self, part: &mut impl VisitMut) {
        // It breaks off nowhere.
        let _: ControlFlow<()> = visit_mut(part, &mut Replace { keys: self, depth: 0 });
    }
}

pub(super) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

/// The one relation that has the column; `None` where the text does not tell it.
fn owner<'a>(name: &str, sides: &'a [Side]) -> Option<&'a Side> {
    if let [only] = sides {
        return Some(only);
    }
    let mut owner = None;
    for side in sides {
        // With a second one the name is ambiguous, which the planner says.
        if side.has(name)? && owner.replace(side).is_some() {
            return None;
        }
    }
    owner
}

/// The columns that NATURAL joins on.
pub(super) fn common(left: &[Side], right: &[Side]) -> Result<Vec<Ident>> {
    let mut shared: Vec<&String> = Vec::new();
    let left = columns_of(left)?;
    for column in columns_of(right)? {
        if left.contains(&column) && !shared.contains(&column) {
            shared.push(column);
        }
    }
    Ok(shared.into_iter().map(|column| Ident::with_quote('"', column.clone())).collect())
}

fn columns_of(sides: &[Side]) -> Result<Vec<&String>> {
    let mut all: Vec<&String> = Vec::new();
    for side in sides {
        all.extend(side.columns.as_ref().ok_or_else(refusal)?);
    }
    Ok(all)
}

fn names_of(table: &ObjectName) -> Vec<String> {
    table.0.iter().filter_map(ObjectNamePart::as_ident).map(normalize).collect()
}

struct Replace<'a> {
    keys: &'a Keys,
    depth: usize,
}

impl VisitorMut for Replace<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Identifier(name) = expression
            && let Some(value) = self.keys.value(name)
        {
            *expression = value.clone();
        }
        ControlFlow::Continue(())
    }
}
