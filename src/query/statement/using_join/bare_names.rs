//! Names without a table in a SELECT that stands in another one.
//!
//! DataFusion 55.2 looks for a name that two relations of FROM have, which is ambiguous, in the row of the query around:
//! `o.a IN (SELECT w FROM l1 JOIN l2 USING (b) WHERE b = 2)` reads `o.b`. Keys of joins are written with their tables
//! there (`using_join`); of what else is ambiguous the statement is refused here, as it is where no query stands around.
//!
//! Can go when DataFusion refuses such names: `tests/slt/using_join.slt` then passes without it.

use std::collections::BTreeSet;

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArguments, JoinConstraint, JoinOperator, Select, TableFactor, TableWithJoins, Visit,
};

use super::super::normalize;
use super::super::own_names::own_names;
use super::keys::Keys;
use super::relations::{Relations, any_join, is_on_shared_key};
use super::tables::Tables;
use crate::error::{Error, Result};

/// Whether an expression holds a query, whose names may be those of the query around.
pub(super) fn holds_query(expression: &Expr) -> bool {
    match expression {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => true,
        Expr::Function(call) => matches!(call.args, FunctionArguments::Subquery(_)),
        _ => false,
    }
}

pub(super) fn is_lateral(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Derived { lateral: true, .. })
}

/// # Errors
/// `InvalidInput` for a name in WHERE or in the SELECT list that several relations have.
pub(super) fn check(select: &Select, tables: &mut Tables<'_>) -> Result<()> {
    if select.from.len() < 2 && select.from.iter().all(|relations| relations.joins.is_empty()) {
        return Ok(());
    }
    let mut relations = Relations { tables, writes_on: false, unnamed: 0 };
    let mut keys = Keys::default();
    for joined in &mut select.from.clone() {
        // Of what the text does not tell, nothing is known.
        let Ok(of_joined) = relations.keys_of(joined) else { return Ok(()) };
        keys = keys.with(of_joined);
    }
    let mut names = names_in(&select.projection);
    names.extend(names_in(&select.selection));
    for name in names.iter().filter(|name| keys.key(name).is_none()) {
        let mut owners = keys.sides.iter().filter(|side| side.has(name) == Some(true));
        if let (Some(one), Some(other)) = (owners.next(), owners.next()) {
            return Err(Error::invalid(format!(
                "column '{name}' is ambiguous: {} and {} have it, write the table before the name ({}.{name})",
                one.name, other.name, one.name
            )));
        }
    }
    Ok(())
}

/// Whether the SELECT names a key of its joins without a table.
pub(super) fn names_key(select: &Select) -> bool {
    let mut keys = BTreeSet::new();
    for relations in select.from.iter().filter(|relations| any_join(relations, is_on_shared_key)) {
        if !add_keys(relations, &mut keys) {
            return true;
        }
    }
    !names_in(select).is_disjoint(&keys)
}

/// Whether the text names all keys of the joins: that of NATURAL does not.
fn add_keys(relations: &TableWithJoins, keys: &mut BTreeSet<String>) -> bool {
    let mut all = true;
    for join in &relations.joins {
        let constraint = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint) => constraint,
            _ => continue,
        };
        match constraint {
            JoinConstraint::Using(names) => {
                keys.extend(names.iter().filter_map(|name| name.0.last()?.as_ident().map(normalize)));
            }
            JoinConstraint::Natural => all = false,
            JoinConstraint::On(_) | JoinConstraint::None => {}
        }
    }
    let factors = std::iter::once(&relations.relation).chain(relations.joins.iter().map(|join| &join.relation));
    let nested = factors.filter_map(|factor| match factor {
        TableFactor::NestedJoin { table_with_joins, .. } => Some(table_with_joins),
        _ => None,
    });
    nested.fold(all, |all, relations| add_keys(relations, keys) && all)
}

/// The names without a table.
fn names_in(part: &impl Visit) -> BTreeSet<String> {
    let name_of = |expression: &Expr| match expression {
        Expr::Identifier(name) => Some(normalize(name)),
        _ => None,
    };
    own_names(part, name_of).into_iter().collect()
}
