//! Which names a SELECT list gives that a column of the tables may have, too, and where they are read.

use datafusion::sql::sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, OrderByExpr, Select, SelectItem, TableFactor, TableWithJoins,
};

use super::super::normalize;
use super::super::own_names::own_names;

/// The names that a SELECT list gives to something else than a column of that name.
pub(super) struct MeantNames {
    names: Vec<String>,
}

impl MeantNames {
    pub(super) fn of(select: &Select) -> Self {
        let is_one_table = matches!(select.from.as_slice(), [only] if only.joins.is_empty());
        let given = select.projection.iter().filter_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                let name = normalize(alias);
                let is_itself = match expr {
                    Expr::Identifier(column) => normalize(column) == name,
                    Expr::CompoundIdentifier(parts) if is_one_table && parts.len() == 2 => normalize(&parts[1]) == name,
                    _ => false,
                };
                (!is_itself).then_some(name)
            }
            _ => None,
        });
        Self { names: given.collect() }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|given| given == name)
    }

    /// Whether one is read where it means a column of the tables.
    pub(super) fn occur(&self, select: &Select, sorts: &[OrderByExpr]) -> bool {
        if self.names.is_empty() {
            return false;
        }
        let mut filters = [&select.having, &select.qualify].into_iter().flatten();
        sorts.iter().any(|sort| self.in_sort(&sort.expr))
            || Self::are_hidden(&select.from) && filters.any(|filter| self.in_expression(filter))
    }

    /// A name that stands alone is that of the result.
    pub(super) fn in_sort(&self, sort: &Expr) -> bool {
        match sort {
            Expr::Identifier(_) => false,
            Expr::Nested(inner) => self.in_sort(inner),
            other => self.in_expression(other),
        }
    }

    fn in_expression(&self, expression: &Expr) -> bool {
        names_in(expression).iter().any(|name| self.has(name))
    }

    /// Whether columns may be without a table, so that the planner takes those of the result for them in HAVING and
    /// QUALIFY.
    pub(super) fn are_hidden(from: &[TableWithJoins]) -> bool {
        let relations = from
            .iter()
            .flat_map(|tables| std::iter::once(&tables.relation).chain(tables.joins.iter().map(|join| &join.relation)));
        relations.into_iter().any(|relation| matches!(relation, TableFactor::Derived { alias: None, .. }))
    }
}

/// The first parts of the names in an expression, but not inside of subqueries.
pub(super) fn names_in(expression: &Expr) -> Vec<String> {
    own_names(expression, |part| match part {
        Expr::Identifier(name) => Some(normalize(name)),
        Expr::CompoundIdentifier(parts) => parts.first().map(normalize),
        _ => None,
    })
}

/// Columns that two tables of FROM share as one.
pub(super) struct SharedKeys {
    names: Vec<String>,
    /// Whether NATURAL tells them.
    all: bool,
}

impl SharedKeys {
    pub(super) fn of(from: &[TableWithJoins]) -> Self {
        let constraints = from.iter().flat_map(|tables| &tables.joins).filter_map(constraint_of);
        let mut keys = Self { names: Vec::new(), all: false };
        for constraint in constraints {
            match constraint {
                JoinConstraint::Using(names) => {
                    let names = names.iter().filter_map(|name| name.0.last()?.as_ident().map(normalize));
                    keys.names.extend(names);
                }
                JoinConstraint::Natural => keys.all = true,
                JoinConstraint::On(_) | JoinConstraint::None => {}
            }
        }
        keys
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all || self.names.iter().any(|key| key == name)
    }
}

fn constraint_of(join: &Join) -> Option<&JoinConstraint> {
    match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint) => Some(constraint),
        _ => None,
    }
}
