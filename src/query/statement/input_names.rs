//! Names inside of an expression of ORDER BY are those of the tables.
//!
//! `SELECT -a AS a FROM t ORDER BY -a` sorts by the column of `t`; only a name that stands alone is the column of the
//! result (Postgres, DuckDB). DataFusion 55.2 takes that of the result in both places, and in HAVING and QUALIFY, too,
//! where a derived table without a name computes the column. Names that are both get their table here. Which table has
//! them, only the planner knows: it is asked for the columns of FROM, of such statements alone.
//!
//! Can go when DataFusion tells them apart: `tests/slt/input_names.slt` then passes without it.

use std::ops::ControlFlow;

use datafusion::common::DFSchemaRef;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, OrderBy, OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr,
    Statement, TableAlias, TableFactor, Visitor, VisitorMut, WildcardAdditionalOptions, With,
};

use self::meant::{MeantNames, SharedKeys, names_in};
use super::compose::{no_rows, query_of};
use super::inner_mut;
use super::normalize;
use super::walk::{visit, visit_mut};
use crate::error::{Error, Result};

mod meant;

/// The name of a derived table that has none.
const NAMELESS: &str = "\u{1}derived";

/// Queries for the columns of every FROM that has to be known, in the order of the statement.
pub(super) fn questions(statement: &DfStatement) -> Vec<DfStatement> {
    let Some(inner) = inner(statement) else { return Vec::new() };
    if visit(inner, &mut Find).is_continue() {
        return Vec::new();
    }
    let mut ask = Ask { tables: Vec::new(), questions: Vec::new() };
    // It breaks off nowhere.
    let _: ControlFlow<()> = visit(inner, &mut ask);
    ask.questions
}

/// Writes such names with their tables. An answer is `None` where the question does not plan.
///
/// # Errors
/// `InvalidInput` where a name cannot be told.
pub(in crate::query) fn bind(statement: &mut DfStatement, answers: Vec<Option<DFSchemaRef>>) -> Result<()> {
    let Some(inner) = inner_mut(statement) else { return Ok(()) };
    match visit_mut(inner, &mut Bind { answers: answers.into_iter() }) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// What to write where a name means the tables' column and that cannot be read there.
pub(in crate::query) fn refusal() -> Error {
    Error::invalid(
        "inside of an expression of ORDER BY, and in HAVING, a name means the column of the tables, not that of the \
         SELECT list which has the same name: sort by the name alone or by its number, give the column of the SELECT \
         list another name, or write the table before the name (t.a)",
    )
}

/// `(SELECT ...) ORDER BY ...` as `SELECT ... ORDER BY ...`.
pub(super) fn open_parentheses(statement: &mut DfStatement) {
    struct Open;
    impl VisitorMut for Open {
        type Break = ();

        fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
            while query.order_by.is_some()
                && let SetExpr::Query(inner) = query.body.as_mut()
                && is_bare(inner)
            {
                query.body = std::mem::replace(&mut inner.body, Box::new(SetExpr::Values(no_rows())));
            }
            ControlFlow::Continue(())
        }
    }
    // It breaks off nowhere.
    let _: Option<ControlFlow<()>> = inner_mut(statement).map(|inner| visit_mut(inner, &mut Open));
}

fn is_bare(query: &Query) -> bool {
    query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.pipe_operators.is_empty()
        && !matches!(query.body.as_ref(), SetExpr::SetOperation { .. } | SetExpr::Values(_))
}

/// The statement itself, or the one that EXPLAIN explains.
pub(super) fn inner(statement: &DfStatement) -> Option<&Statement> {
    match statement {
        DfStatement::Statement(inner) => Some(inner),
        DfStatement::Explain(explain) => inner(&explain.statement),
        _ => None,
    }
}

/// The SELECTs of a query, with the ORDER BY of one that is alone.
fn selects(query: &Query) -> Vec<(&Select, &[OrderByExpr])> {
    fn collect<'a>(body: &'a SetExpr, into: &mut Vec<(&'a Select, &'a [OrderByExpr])>) {
        match body {
            SetExpr::Select(select) => into.push((select, &[])),
            SetExpr::SetOperation { left, right, .. } => {
                collect(left, into);
                collect(right, into);
            }
            _ => {}
        }
    }
    match query.body.as_ref() {
        SetExpr::Select(select) => vec![(select, sorts_of(query.order_by.as_ref()))],
        body => {
            let mut all = Vec::new();
            collect(body, &mut all);
            all
        }
    }
}

fn sorts_of(order_by: Option<&OrderBy>) -> &[OrderByExpr] {
    match order_by.map(|order_by| &order_by.kind) {
        Some(OrderByKind::Expressions(sorts)) => sorts,
        _ => &[],
    }
}

struct Find;

impl Visitor for Find {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        match selects(query).into_iter().any(|(select, sorts)| MeantNames::of(select).occur(select, sorts)) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

struct Ask {
    /// The WITH of each query around.
    tables: Vec<Option<With>>,
    questions: Vec<DfStatement>,
}

impl Visitor for Ask {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.tables.push(query.with.clone());
        for (select, sorts) in selects(query) {
            if MeantNames::of(select).occur(select, sorts) {
                self.questions.push(all_columns(select, &self.tables));
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.tables.pop();
        ControlFlow::Continue(())
    }
}

/// `SELECT *` from the same tables, inside of the WITH of each query around.
pub(super) fn all_columns(select: &Select, withs: &[Option<With>]) -> DfStatement {
    let all = Select {
        distinct: None,
        projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
        selection: None,
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        ..select.clone()
    };
    let body = withs.iter().rev().fold(SetExpr::Select(Box::new(all)), |body, with| match with {
        Some(with) => SetExpr::Query(Box::new(Query { with: Some(with.clone()), ..query_of(body) })),
        None => body,
    });
    DfStatement::Statement(Box::new(Statement::Query(Box::new(query_of(body)))))
}

struct Bind {
    answers: std::vec::IntoIter<Option<DFSchemaRef>>,
}

impl VisitorMut for Bind {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let Query { body, order_by, .. } = query;
        let bound = match body.as_mut() {
            SetExpr::Select(select) => {
                let sorts = match order_by.as_mut().map(|order_by| &mut order_by.kind) {
                    Some(OrderByKind::Expressions(sorts)) => &mut sorts[..],
                    _ => &mut [],
                };
                self.bind_select(select, sorts)
            }
            body => self.bind_body(body),
        };
        match bound {
            Ok(()) => ControlFlow::Continue(()),
            Err(refusal) => ControlFlow::Break(refusal),
        }
    }
}

impl Bind {
    fn bind_body(&mut self, body: &mut SetExpr) -> Result<()> {
        match body {
            SetExpr::Select(select) => self.bind_select(select, &mut []),
            SetExpr::SetOperation { left, right, .. } => {
                self.bind_body(left)?;
                self.bind_body(right)
            }
            _ => Ok(()),
        }
    }

    fn bind_select(&mut self, select: &mut Select, sorts: &mut [OrderByExpr]) -> Result<()> {
        let names = MeantNames::of(select);
        if !names.occur(select, sorts) {
            return Ok(());
        }
        let columns = self.answers.next().flatten().ok_or_else(refusal)?;
        let is_distinct = matches!(select.distinct, Some(Distinct::Distinct));
        let mut tables = Tables { columns, keys: SharedKeys::of(&select.from), is_named: false };
        let meant = sorts.iter().filter(|sort| names.in_sort(&sort.expr)).flat_map(|sort| names_in(&sort.expr));
        let filters = [&select.having, &select.qualify].into_iter().flatten().flat_map(names_in);
        let filters = filters.filter(|_| MeantNames::are_hidden(&select.from));
        let meant: Vec<String> = meant.chain(filters).filter(|name| names.has(name)).collect();
        if meant.iter().any(|name| tables.is_nameless(name)) {
            name_derived_table(select)?;
            tables.is_named = true;
        }
        let mut replace = Replace { names: &names, tables: &tables, depth: 0 };
        for sort in sorts.iter_mut().filter(|sort| names.in_sort(&sort.expr)) {
            match output_of(&sort.expr, &select.projection) {
                // Of DISTINCT rows there is nothing but the columns of the result.
                Some(output) if is_distinct => sort.expr = Expr::Identifier(output),
                _ => replace.replace_in(&mut sort.expr)?,
            }
        }
        if MeantNames::are_hidden(&select.from) || tables.is_named {
            for filter in [&mut select.having, &mut select.qualify].into_iter().flatten() {
                replace.replace_in(filter)?;
            }
        }
        Ok(())
    }
}

/// The column of the result that is computed by the same expression.
fn output_of(sort: &Expr, projection: &[SelectItem]) -> Option<Ident> {
    projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if expr == sort => Some(alias.clone()),
        _ => None,
    })
}

fn name_derived_table(select: &mut Select) -> Result<()> {
    let [relations] = select.from.as_mut_slice() else { return Err(refusal()) };
    match &mut relations.relation {
        TableFactor::Derived { alias: alias @ None, .. } if relations.joins.is_empty() => {
            let name = Ident::with_quote('"', NAMELESS);
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
            Ok(())
        }
        _ => Err(refusal()),
    }
}

/// The columns of FROM.
struct Tables {
    columns: DFSchemaRef,
    keys: SharedKeys,
    /// Whether all are of the derived table that had no name.
    is_named: bool,
}

impl Tables {
    fn is_nameless(&self, name: &str) -> bool {
        self.columns.iter().any(|(table, field)| table.is_none() && field.name() == name)
    }

    fn has_table(&self, name: &str) -> bool {
        self.columns.iter().any(|(table, _)| table.is_some_and(|table| table.table() == name))
    }

    /// The name with its table; `None` where no table has it.
    fn full_name(&self, name: &str) -> Result<Option<Vec<Ident>>> {
        let mut tables = self.columns.iter().filter(|(_, field)| field.name() == name).map(|(table, _)| table);
        let (table, more) = (tables.next(), tables.next());
        let Some(table) = table else { return Ok(None) };
        // A key of an inner or LEFT JOIN ... USING is the left side's; of others `using_join` has written the values.
        if more.is_some() && !self.keys.has(name) {
            return Err(refusal());
        }
        let mut parts: Vec<&str> = match table {
            _ if self.is_named => vec![NAMELESS],
            Some(table) => [table.catalog(), table.schema(), Some(table.table())].into_iter().flatten().collect(),
            None => return Err(refusal()),
        };
        parts.push(name);
        Ok(Some(parts.into_iter().map(|part| Ident::with_quote('"', part)).collect()))
    }
}

/// Writes names with their tables, but not inside of subqueries, which have names of their own.
struct Replace<'a> {
    names: &'a MeantNames,
    tables: &'a Tables,
    depth: usize,
}

impl Replace<'_> {
    fn replace_in(&mut self, expression: &mut Expr) -> Result<()> {
        match visit_mut(expression, self) {
            ControlFlow::Break(refusal) => Err(refusal),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    fn replaced(&self, expression: &Expr) -> Result<Option<Vec<Ident>>> {
        let (first, fields) = match expression {
            Expr::Identifier(name) => (normalize(name), &[][..]),
            Expr::CompoundIdentifier(parts) => match parts.split_first() {
                // A field of a column.
                Some((first, fields)) if !self.tables.has_table(&normalize(first)) => (normalize(first), fields),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        if !self.names.has(&first) {
            return Ok(None);
        }
        let full = self.tables.full_name(&first)?;
        Ok(full.map(|full| full.into_iter().chain(fields.iter().cloned()).collect()))
    }
}

impl VisitorMut for Replace<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<Error> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        match self.replaced(expression) {
            Ok(Some(parts)) => *expression = Expr::CompoundIdentifier(parts),
            Ok(None) => {}
            Err(refusal) => return ControlFlow::Break(refusal),
        }
        ControlFlow::Continue(())
    }
}
