//! `USING (k)` and NATURAL: `k` alone is one column, that of the left side of INNER and LEFT joins, of the right side of
//! RIGHT joins, and of FULL joins the key of whichever side has the row.
//!
//! DataFusion 55.2 takes the left side's of RIGHT and FULL joins, which is NULL where only the right side has the row
//! (datafusion#22881), and of NATURAL FULL finds `k` ambiguous. Such a join is written with ON here, and `k` as the key's
//! value wherever the SELECT names it, `*` included. Where the text does not tell which table has the key, the statement
//! is refused.
//!
//! Of INNER and LEFT joins `*` shows the key of the relation whose name comes first in the alphabet, which may be that
//! without a row, and of three relations it shows two keys. There `*` is written as the columns of each relation, without
//! the keys that one further left has. In WHERE, `k` is found ambiguous: what does not plan for that is written with ON.
//! In a query within another one it plans, with the `k` of the row around: there all such joins are written with ON.
//!
//! Can go when DataFusion has the keys of the standard: `tests/slt/using_join.slt` then passes without it.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Ident, Join, ObjectName, OrderByExpr, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableFactor, VisitorMut, With,
};

use self::keys::Keys;
use self::relations::{Relations, any_join, derive_named_joins, is_on_shared_key, is_outer_on_shared_key};
use self::tables::Tables;
use super::inner_mut;
use super::normalize;
use super::walk::visit_mut;
use crate::error::{Error, Result};

mod bare_names;
mod keys;
mod relations;
mod stars;
mod tables;

/// The columns of a table by the name in the statement; `None` for what is no table.
pub(in crate::query) type ColumnsOf<'a> = &'a dyn Fn(&ObjectName) -> Option<Vec<String>>;

/// # Errors
/// `InvalidInput` when the text does not tell which table has a key.
pub(super) fn rewrite(statement: &mut DfStatement, columns_of: ColumnsOf<'_>) -> Result<()> {
    let Some(inner) = inner_mut(statement) else { return Ok(()) };
    match visit_mut(inner, &mut Rewrite::new(columns_of, false)) {
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
    let named = visit_mut(inner, &mut Rewrite::new(columns_of, true));
    (named.is_continue() && *inner != before).then_some(statement)
}

struct Rewrite<'a> {
    tables: Tables<'a>,
    /// Whether all joins on shared keys are written with ON, or only those of which the planner takes wrong keys.
    all: bool,
    /// The WITH of each query around.
    withs: Vec<Option<With>>,
    /// How many expressions and LATERAL tables stand around, in whose queries a name may be that of another row.
    depth: usize,
}

impl VisitorMut for Rewrite<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        // A WITH table is known to those behind it and to the body, so that it is visited here.
        let mut with = query.with.take();
        self.tables.open_scope();
        if let Some(with) = &mut with {
            for table in &mut with.cte_tables {
                if with.recursive {
                    self.tables.add(table);
                }
                visit_mut(table.query.as_mut(), self)?;
                if !with.recursive {
                    self.tables.add(table);
                }
            }
        }
        self.withs.push(with);
        let Query { body, order_by, .. } = query;
        let SetExpr::Select(select) = body.as_mut() else { return ControlFlow::Continue(()) };
        let sorts = match order_by.as_mut().map(|order_by| &mut order_by.kind) {
            Some(OrderByKind::Expressions(sorts)) => &mut sorts[..],
            _ => &mut [],
        };
        self.rewrite_select(select, sorts).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        self.tables.close_scope();
        query.with = self.withs.pop().flatten();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        self.depth += usize::from(bare_names::holds_query(expression));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        self.depth -= usize::from(bare_names::holds_query(expression));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.depth += usize::from(bare_names::is_lateral(factor));
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        self.depth -= usize::from(bare_names::is_lateral(factor));
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        // A part of a set operation; the SELECT of a query is done already.
        self.rewrite_select(select, &mut []).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }
}

impl<'a> Rewrite<'a> {
    fn new(columns_of: ColumnsOf<'a>, all: bool) -> Self {
        Self { tables: Tables::new(columns_of), all, withs: Vec::new(), depth: 0 }
    }

    fn rewrite_select(&mut self, select: &mut Select, sorts: &mut [OrderByExpr]) -> Result<()> {
        select.from.iter_mut().for_each(derive_named_joins);
        if self.depth > 0 {
            bare_names::check(select, &mut self.tables)?;
        }
        let all = self.all || self.depth > 0 && bare_names::names_key(select);
        let is_written: fn(&Join) -> bool = if all { is_on_shared_key } else { is_outer_on_shared_key };
        let writes_on = select.from.iter().any(|relations| any_join(relations, is_written));
        let shows_all = select.projection.iter().any(|item| matches!(item, SelectItem::Wildcard(_)))
            && select.from.iter().any(|relations| any_join(relations, is_on_shared_key));
        if !writes_on && !shows_all {
            return Ok(());
        }
        let mut keys = Keys::default();
        let mut relations = Relations { tables: &mut self.tables, writes_on, unnamed: 0 };
        for joined in &mut select.from {
            keys = keys.with(relations.keys_of(joined)?);
        }
        if !writes_on {
            return show_columns(select, &keys);
        }
        for sort in sorts.iter_mut().filter(|sort| !names_output(&sort.expr, &select.projection, &keys)) {
            keys.replace_in(&mut sort.expr);
        }
        write_values(select, &keys)
    }
}

fn key_of(name: &ObjectName) -> Result<Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident().cloned().ok_or_else(refusal),
        _ => Err(refusal()),
    }
}

/// Whether ORDER BY names a column of the SELECT list, which comes before those of the tables.
fn names_output(sort: &Expr, projection: &[SelectItem], keys: &Keys) -> bool {
    let Expr::Identifier(name) = sort else { return false };
    projection.iter().any(|item| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(output)) => normalize(output) == normalize(name),
        SelectItem::UnnamedExpr(output) => is_column_of_table(output, name),
        SelectItem::ExprWithAlias { expr: _, alias } => normalize(alias) == normalize(name),
        SelectItem::Wildcard(_) => true,
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), _) => {
            keys.shows(table, &normalize(name))
        }
        _ => false,
    })
}

/// Whether the expression is `l.k` of the name `k`.
fn is_column_of_table(expression: &Expr, name: &Ident) -> bool {
    let Expr::CompoundIdentifier(parts) = expression else { return false };
    parts.last().is_some_and(|column| normalize(column) == normalize(name))
}

/// Writes the values of keys in DISTINCT ON, where a column of the SELECT list comes first, too.
fn write_distinct(select: &mut Select, keys: &Keys) {
    let Some(Distinct::On(distinct)) = &mut select.distinct else { return };
    for key in distinct {
        let Expr::Identifier(name) = key else {
            keys.replace_in(key);
            continue;
        };
        // What an alias stands for is written already.
        let shown = select.projection.iter().find_map(|item| match item {
            SelectItem::UnnamedExpr(output) if is_column_of_table(output, name) => Some(output),
            _ => None,
        });
        match shown {
            Some(output) => *key = output.clone(),
            None => keys.replace_in(key),
        }
    }
}

/// Writes the columns for `*`.
fn show_columns(select: &mut Select, keys: &Keys) -> Result<()> {
    let mut projection = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        match item {
            SelectItem::Wildcard(options) => projection.extend(keys.all_columns(&options, false)?),
            other => projection.push(other),
        }
    }
    select.projection = projection;
    Ok(())
}

/// Writes the values of keys wherever the SELECT names them.
fn write_values(select: &mut Select, keys: &Keys) -> Result<()> {
    write_distinct(select, keys);
    let mut projection = Vec::new();
    for item in std::mem::take(&mut select.projection) {
        match item {
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => match keys.value(&name) {
                Some(value) => projection.push(SelectItem::ExprWithAlias { expr: value.clone(), alias: name }),
                None => projection.push(SelectItem::UnnamedExpr(Expr::Identifier(name))),
            },
            SelectItem::Wildcard(options) => projection.extend(keys.all_columns(&options, true)?),
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
        "which tables a key of JOIN ... USING, or NATURAL, comes from cannot be told here: write ON l.k = r.k, with \
         l.k in SELECT (coalesce(l.k, r.k) AS k of a FULL JOIN, r.k of a RIGHT JOIN), and give every table a name",
    )
}
