//! `USING (k)` and NATURAL with RIGHT and FULL joins: `k` alone is the key of whichever side has the row.
//!
//! DataFusion 55.2 takes the left side's, which is NULL where only the right side has the row (datafusion#22881), and of
//! NATURAL FULL finds `k` ambiguous. Such a join is written with ON here, and `k` as coalesce(l.k, r.k) wherever the
//! SELECT names it, `*` included. Where the text does not tell which table has the key, the statement is refused.
//!
//! Of INNER and LEFT joins it takes the right side, but finds `k` in WHERE ambiguous: what does not plan for that is
//! written likewise.
//!
//! Can go when #22881 is closed: `tests/slt/using_join.slt` then passes without it.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, OrderByKind, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, VisitorMut,
};

use self::keys::{Keys, Side};
use super::normalize;
use super::walk::visit_mut;
use crate::error::{Error, Result};

mod keys;

/// The columns of a table by the name in the statement; `None` for what is no table.
pub(in crate::query) type ColumnsOf<'a> = &'a dyn Fn(&ObjectName) -> Option<Vec<String>>;

/// # Errors
/// `InvalidInput` when the text does not tell which table has a key.
pub(super) fn rewrite(statement: &mut DfStatement, columns_of: ColumnsOf<'_>) -> Result<()> {
    let inner = match statement {
        DfStatement::Statement(inner) => inner,
        DfStatement::Explain(explain) => return rewrite(&mut explain.statement, columns_of),
        _ => return Ok(()),
    };
    match visit_mut(inner, &mut Rewrite { columns_of, is_meant: is_shared_key_outer }) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The query with the keys of INNER and LEFT joins named by their tables; `None` where it has no such join, or its text
/// does not tell the tables.
pub(in crate::query) fn name_keys(statement: &DfStatement, columns_of: ColumnsOf<'_>) -> Option<DfStatement> {
    let mut statement = statement.clone();
    let DfStatement::Statement(inner) = &mut statement else { return None };
    let before = inner.clone();
    let named = visit_mut(inner, &mut Rewrite { columns_of, is_meant: is_shared_key });
    (named.is_continue() && *inner != before).then_some(statement)
}

struct Rewrite<'a> {
    columns_of: ColumnsOf<'a>,
    /// Whether a join is one of those that are written with ON.
    is_meant: fn(&Join) -> bool,
}

impl VisitorMut for Rewrite<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let Query { with, body, order_by, .. } = query;
        let SetExpr::Select(select) = body.as_mut() else { return ControlFlow::Continue(()) };
        let own: Vec<String> =
            with.iter().flat_map(|with| &with.cte_tables).map(|table| normalize(&table.alias.name)).collect();
        let keys = match self.keys_of(select, &own) {
            Ok(Some(keys)) => keys,
            Ok(None) => return ControlFlow::Continue(()),
            Err(refusal) => return ControlFlow::Break(refusal),
        };
        if let Some(order_by) = order_by
            && let OrderByKind::Expressions(sorts) = &mut order_by.kind
        {
            for sort in sorts.iter_mut().filter(|sort| !names_output(&sort.expr, &select.projection)) {
                keys.replace_in(&mut sort.expr);
            }
        }
        if let Err(refusal) = rewrite_select(select, &keys) {
            return ControlFlow::Break(refusal);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        // A part of a set operation; the SELECT of a query is done already.
        match self.keys_of(select, &[]).and_then(|keys| keys.map_or(Ok(()), |keys| rewrite_select(select, &keys))) {
            Ok(()) => ControlFlow::Continue(()),
            Err(refusal) => ControlFlow::Break(refusal),
        }
    }
}

impl Rewrite<'_> {
    /// The keys that two sides share, with the joins written with ON; `None` without such a join.
    fn keys_of(&self, select: &mut Select, own: &[String]) -> Result<Option<Keys>> {
        if !select.from.iter().any(|relations| relations.joins.iter().any(self.is_meant)) {
            return Ok(None);
        }
        let mut keys = Keys::default();
        for relations in &mut select.from {
            self.add_relations(relations, own, &mut keys)?;
        }
        Ok(Some(keys))
    }

    fn add_relations(&self, relations: &mut TableWithJoins, own: &[String], keys: &mut Keys) -> Result<()> {
        let mut sides = vec![self.side(&relations.relation, own)?];
        for join in &mut relations.joins {
            let side = self.side(&join.relation, own)?;
            let Some(constraint) = constraint_of(&mut join.join_operator) else {
                sides.push(side);
                continue;
            };
            let names = match constraint {
                JoinConstraint::Using(names) => names.iter().map(key_of).collect::<Result<Vec<_>>>()?,
                JoinConstraint::Natural => keys::common(&sides, &side)?,
                JoinConstraint::On(_) | JoinConstraint::None => {
                    sides.push(side);
                    continue;
                }
            };
            let equal: Vec<Expr> = names.iter().map(|name| keys.join(name, &sides, &side)).collect::<Result<_>>()?;
            *constraint = match equal.into_iter().reduce(and) {
                Some(condition) => JoinConstraint::On(condition),
                None => JoinConstraint::None,
            };
            match join.join_operator {
                JoinOperator::FullOuter(_) => names.iter().for_each(|name| keys.take_either(name, &side)),
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => {
                    names.iter().for_each(|name| keys.take_right(name, &side));
                }
                _ => names.iter().for_each(|name| keys.take_left(name, &side)),
            }
            sides.push(side);
        }
        keys.sides.extend(sides);
        Ok(())
    }

    fn side(&self, relation: &TableFactor, own: &[String]) -> Result<Side> {
        let (alias, columns) = match relation {
            TableFactor::Table { name, alias, args, .. } => {
                let last = name.0.last().and_then(|part| part.as_ident());
                let is_own = last.is_some_and(|last| own.contains(&normalize(last)));
                let columns = if is_own || args.is_some() { None } else { (self.columns_of)(name) };
                match (alias, last) {
                    (Some(alias), _) => (Some(alias), columns),
                    (None, Some(last)) => return Ok(Side { name: last.clone(), columns }),
                    (None, None) => (None, None),
                }
            }
            TableFactor::Derived { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => (alias.as_ref(), None),
            _ => (None, None),
        };
        let Some(TableAlias { name, columns: named, .. }) = alias else { return Err(refusal()) };
        let named: Vec<String> = named.iter().map(|column| normalize(&column.name)).collect();
        Ok(Side { name: name.clone(), columns: if named.is_empty() { columns } else { Some(named) } })
    }
}

fn is_shared_key_outer(join: &Join) -> bool {
    match &join.join_operator {
        JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => {
            matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural)
        }
        _ => false,
    }
}

fn is_shared_key(join: &Join) -> bool {
    let mut operator = join.join_operator.clone();
    matches!(constraint_of(&mut operator), Some(JoinConstraint::Using(_) | JoinConstraint::Natural))
}

fn constraint_of(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

fn key_of(name: &ObjectName) -> Result<Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident().cloned().ok_or_else(refusal),
        _ => Err(refusal()),
    }
}

fn and(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) }
}

/// Whether ORDER BY names a column of the SELECT list, which comes before those of the tables.
fn names_output(sort: &Expr, projection: &[SelectItem]) -> bool {
    let Expr::Identifier(name) = sort else { return false };
    projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(output)) => normalize(output) == normalize(name),
        SelectItem::ExprWithAlias { expr: _, alias } => normalize(alias) == normalize(name),
        SelectItem::Wildcard(_) => true,
        _ => false,
    })
}

fn rewrite_select(select: &mut Select, keys: &Keys) -> Result<()> {
    let mut projection = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        match item {
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => match keys.value(&name) {
                Some(value) => projection.push(SelectItem::ExprWithAlias { expr: value.clone(), alias: name }),
                None => projection.push(SelectItem::UnnamedExpr(Expr::Identifier(name))),
            },
            SelectItem::Wildcard(options) => projection.extend(keys.all_columns(&options)?),
            mut other => {
                keys.replace_in(&mut other);
                projection.push(other);
            }
        }
    }
    select.projection = projection;
    if let Some(selection) = &mut select.selection {
        keys.replace_in(selection);
    }
    keys.replace_in(&mut select.group_by);
    for clause in [&mut select.having, &mut select.qualify].into_iter().flatten() {
        keys.replace_in(clause);
    }
    select.named_window.iter_mut().for_each(|window| keys.replace_in(window));
    Ok(())
}

fn refusal() -> Error {
    Error::invalid(
        "which tables the key of a RIGHT or FULL JOIN ... USING, or NATURAL, comes from cannot be told here: write ON \
         l.k = r.k, with coalesce(l.k, r.k) AS k in SELECT, and give every table a name",
    )
}
