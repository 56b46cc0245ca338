//! The relations of FROM with the keys that they share. What has no name gets one here, since `*` and ON have to name it.

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Ident, Join, JoinConstraint, JoinOperator, ObjectName, SelectItem, TableAlias, TableFactor,
    TableWithJoins, WildcardAdditionalOptions,
};

use super::super::compose::select_of_joins;
use super::keys::{KeySide, Keys, Side, binary, common};
use super::tables::{Outputs, Tables, columns_of_alias};
use super::{key_of, refusal};
use crate::error::Result;

/// The relations of one SELECT.
pub(super) struct Relations<'a, 'b> {
    pub(super) tables: &'a mut Tables<'b>,
    /// Whether joins on shared keys are written with ON.
    pub(super) writes_on: bool,
    /// How many have got a name.
    pub(super) unnamed: usize,
}

impl Relations<'_, '_> {
    pub(super) fn keys_of(&mut self, relations: &mut TableWithJoins) -> Result<Keys> {
        let mut left = self.keys_of_relation(&mut relations.relation)?;
        for join in &mut relations.joins {
            let right = self.keys_of_relation(&mut join.relation)?;
            left = match Outputs::by(&join.join_operator) {
                Outputs::Both => self.join(left, right, &mut join.join_operator)?,
                Outputs::Left => left,
                Outputs::Right => right,
            };
        }
        Ok(left)
    }

    fn join(&self, left: Keys, right: Keys, operator: &mut JoinOperator) -> Result<Keys> {
        let Some((constraint, side)) = constraint_of(operator) else { return Ok(left.with(right)) };
        let names = match constraint {
            JoinConstraint::Using(names) => names.iter().map(key_of).collect::<Result<Vec<_>>>()?,
            JoinConstraint::Natural => common(&left.sides, &right.sides)?,
            JoinConstraint::On(_) | JoinConstraint::None => return Ok(left.with(right)),
        };
        let (both, equal) = left.join(right, &names, side)?;
        if self.writes_on {
            let equal = equal.into_iter().collect::<Option<Vec<_>>>().ok_or_else(refusal)?;
            *constraint = match equal.into_iter().reduce(|left, right| binary(left, BinaryOperator::And, right)) {
                Some(condition) => JoinConstraint::On(condition),
                None => JoinConstraint::None,
            };
        }
        Ok(both)
    }

    fn keys_of_relation(&mut self, relation: &mut TableFactor) -> Result<Keys> {
        let (alias, columns) = match relation {
            TableFactor::NestedJoin { table_with_joins, alias: None } => return self.keys_of(table_with_joins),
            TableFactor::Table { name, alias, args: None, .. } => {
                let columns = self.tables.of_name(name);
                if alias.is_none() {
                    return Ok(Keys::of(Side { name: name.clone(), columns }));
                }
                (alias, columns)
            }
            TableFactor::Derived { subquery, alias, .. } => (alias, self.tables.of_query(subquery)),
            TableFactor::Table { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => (alias, None),
            _ => return Err(refusal()),
        };
        if alias.is_none() {
            self.unnamed += 1;
        }
        let alias = alias.get_or_insert_with(|| alias_of(self.unnamed));
        let named = columns_of_alias(alias);
        let columns = if named.is_empty() { columns } else { Some(named) };
        Ok(Keys::of(Side { name: ObjectName::from(alias.name.clone()), columns }))
    }
}

/// The name that DuckDB gives to a subquery without one.
fn alias_of(place: usize) -> TableAlias {
    let name = match place {
        1 => Ident::new("unnamed_subquery"),
        place => Ident::new(format!("unnamed_subquery{place}")),
    };
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

/// `(a JOIN b USING (k)) AS x`, which has the key once, as a derived table.
pub(super) fn derive_named_joins(relations: &mut TableWithJoins) {
    derive(&mut relations.relation);
    relations.joins.iter_mut().for_each(|join| derive(&mut join.relation));
}

fn derive(relation: &mut TableFactor) {
    let TableFactor::NestedJoin { table_with_joins, alias } = relation else { return };
    if alias.is_none() {
        derive_named_joins(table_with_joins);
        return;
    }
    if !any_join(table_with_joins, is_on_shared_key) {
        return;
    }
    let all = SelectItem::Wildcard(WildcardAdditionalOptions::default());
    let subquery = Box::new(select_of_joins(all, table_with_joins.as_ref().clone()));
    let alias = alias.take();
    *relation = TableFactor::Derived { lateral: false, subquery, alias, sample: None };
}

/// Whether one of the joins, also of those in parentheses, is meant.
pub(super) fn any_join(relations: &TableWithJoins, is_meant: fn(&Join) -> bool) -> bool {
    let nested = |relation: &TableFactor| match relation {
        TableFactor::NestedJoin { table_with_joins, .. } => any_join(table_with_joins, is_meant),
        _ => false,
    };
    nested(&relations.relation) || relations.joins.iter().any(|join| is_meant(join) || nested(&join.relation))
}

pub(super) fn is_on_shared_key(join: &Join) -> bool {
    match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint) => is_shared(constraint),
        _ => is_outer_on_shared_key(join),
    }
}

pub(super) fn is_outer_on_shared_key(join: &Join) -> bool {
    match &join.join_operator {
        JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => is_shared(constraint),
        _ => false,
    }
}

fn is_shared(constraint: &JoinConstraint) -> bool {
    matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural)
}

fn constraint_of(operator: &mut JoinOperator) -> Option<(&mut JoinConstraint, KeySide)> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint) => Some((constraint, KeySide::Left)),
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => Some((constraint, KeySide::Right)),
        JoinOperator::FullOuter(constraint) => Some((constraint, KeySide::Either)),
        _ => None,
    }
}
