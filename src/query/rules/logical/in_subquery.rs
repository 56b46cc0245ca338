//! `IN` and `NOT IN (subquery)` with the three values that SQL gives them.
//!
//! DataFusion 55.2 knows two: NOT IN at the top of WHERE becomes an anti join that heeds NULL for a plain column and a
//! subquery without outer columns only (datafusion#25347, #25340, #25336, #25473, #25480), and everywhere else the
//! predicate becomes a mark join that is never NULL (#21309). `x NOT IN (SELECT y ...)` asks three questions that have
//! two answers each, and EXISTS is right everywhere: does a row have y = x; is some y NULL; is x NULL and is there a
//! row at all. Each is a hash join or reads one row.
//!
//! Can go when DataFusion's mark joins are NULL-aware with outer columns, too: `tests/slt/membership.slt` then passes
//! without it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema, Result as DfResult, ScalarValue, Spans};
use datafusion::logical_expr::expr::{Case, Exists, InSubquery, SetQuantifier};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, lit,
};

use self::rows::RowMembership;
use super::mixed_numbers::unify_memberships;
use super::{RuleContext, is_volatile_plan, schema_of_inputs};
use crate::error::Error;
use crate::query::walk::{WalkExpression, WalkPlan};

mod rows;

/// # Errors
/// `InvalidInput` for a predicate in a place where DataFusion has no join for it, and for one that would have to be
/// computed twice and may not.
pub(super) fn rewrite(node: LogicalPlan, context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    if !holds_subquery_predicate(&node)? {
        return Ok(Transformed::no(node));
    }
    let schema = schema_of_inputs(&node);
    let node = node.change_expressions(&mut |expression| unify_memberships(expression, &schema))?.data;
    match node {
        LogicalPlan::Filter(filter) => rewrite_filter(filter, context).map(Transformed::yes),
        LogicalPlan::Join(mut join) if join.join_type == JoinType::Inner => {
            // The conditions of an inner join hold as well above it, where DataFusion joins the subquery.
            let (above, on): (Vec<Expr>, Vec<Expr>) =
                join.filter.take().map(split_conjunction_owned).unwrap_or_default().into_iter().partition(holds_in);
            join.filter = conjunction(on);
            let predicate = conjunction(above).unwrap_or_else(|| lit(true));
            let filter = Filter::try_new(predicate, Arc::new(LogicalPlan::Join(join)))?;
            rewrite_filter(filter, context).map(Transformed::yes)
        }
        // EXPLAIN and the like hold plans, not predicates.
        _ => Err(Error::invalid(
            "IN, EXISTS, ANY and ALL (subquery) stand in WHERE, HAVING or the ON of an inner join: elsewhere join the \
             subquery, such as LEFT JOIN (SELECT DISTINCT y FROM t) s ON s.y = x, and test s.y IS NOT NULL",
        )
        .into()),
    }
}

fn holds_subquery_predicate(node: &LogicalPlan) -> DfResult<bool> {
    let mut holds = false;
    node.look_at_expressions(&mut |expression| {
        holds |= holds_in(expression);
        Ok(if holds { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(holds)
}

fn holds_in(expression: &Expr) -> bool {
    // The test cannot fail.
    expression
        .has_part(&mut |part| Ok(matches!(part, Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_))))
        .unwrap_or(true)
}

fn rewrite_filter(filter: Filter, context: &RuleContext<'_>) -> DfResult<LogicalPlan> {
    let schema = filter.input.schema();
    let conjuncts: Vec<Expr> = split_conjunction_owned(filter.predicate)
        .into_iter()
        .map(|conjunct| match as_membership(conjunct) {
            // DataFusion's own join, which heeds NULL.
            Ok(plain) if is_plain(&plain, schema) => Ok(Expr::InSubquery(plain)),
            Ok(membership) => two_valued(membership, schema, context),
            Err(other) => where_null_is_false(other, schema, context),
        })
        .collect::<DfResult<_>>()?;
    let predicate = conjunction(conjuncts).unwrap_or_else(|| lit(true));
    Ok(LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?))
}

/// `IN`, `NOT IN`, `NOT (x IN ...)`, `= ANY` and `<> ALL` are one predicate.
fn as_membership(expression: Expr) -> Result<InSubquery, Expr> {
    match expression {
        Expr::InSubquery(membership) => Ok(membership),
        Expr::Not(inner) => match as_membership(*inner) {
            Ok(inner) => Ok(InSubquery { negated: !inner.negated, ..inner }),
            Err(inner) => Err(Expr::Not(Box::new(inner))),
        },
        Expr::SetComparison(comparison) => match (comparison.op, &comparison.quantifier) {
            (Operator::Eq, SetQuantifier::Any) => Ok(InSubquery::new(comparison.expr, comparison.subquery, false)),
            (Operator::NotEq, SetQuantifier::All) => Ok(InSubquery::new(comparison.expr, comparison.subquery, true)),
            _ => Err(Expr::SetComparison(comparison)),
        },
        other => Err(other),
    }
}

/// What DataFusion plans rightly as a condition of its own.
fn is_plain(membership: &InSubquery, schema: &DFSchema) -> bool {
    let is_column = matches!(membership.expr.as_ref(), Expr::Column(_));
    let is_alone = membership.subquery.outer_ref_columns.is_empty();
    let is_row = RowMembership::of(membership).is_some();
    !is_row && (!membership.negated || is_alone && (is_column || !Nulls::of(membership, schema).any()))
}

/// Under AND and OR alone, of which the row is kept where the whole is true, false serves as well as NULL.
fn where_null_is_false(expression: Expr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Expr> {
    match as_membership(expression) {
        Ok(membership) if membership.negated || RowMembership::of(&membership).is_some() => {
            two_valued(membership, schema, context)
        }
        Ok(membership) => Ok(Expr::InSubquery(membership)),
        Err(Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right })) => {
            let left = where_null_is_false(*left, schema, context)?;
            let right = where_null_is_false(*right, schema, context)?;
            Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
        }
        Err(other) => other
            .change_parts(&mut |part| match as_membership(part) {
                Ok(membership) => three_valued(membership, schema, context).map(Transformed::yes),
                Err(part) => Ok(Transformed::no(part)),
            })
            .data(),
    }
}

/// Which side may be NULL.
struct Nulls {
    value: bool,
    rows: bool,
}

impl Nulls {
    fn of(membership: &InSubquery, schema: &DFSchema) -> Self {
        let rows = membership.subquery.subquery.schema().fields().iter().any(|field| field.is_nullable());
        // What cannot be told may be NULL.
        Self { value: membership.expr.nullable(schema).unwrap_or(true), rows }
    }

    fn any(&self) -> bool {
        self.value || self.rows
    }
}

/// True where the predicate is true, else false.
fn two_valued(membership: InSubquery, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Expr> {
    if let Some(row) = RowMembership::of(&membership) {
        return row.questions(schema, context)?.two_valued(membership.negated);
    }
    let nulls = Nulls::of(&membership, schema);
    let questions = Questions::of(&membership, &nulls, schema)?;
    if !membership.negated {
        return questions.has_equal(false);
    }
    let mut all = vec![questions.has_equal(true)?];
    if nulls.rows {
        all.push(questions.has_null(true)?);
    }
    if nulls.value {
        all.push(membership.expr.as_ref().clone().is_not_null().or(questions.has_row(true)?));
    }
    Ok(conjunction(all).unwrap_or_else(|| lit(true)))
}

/// True, false or NULL, wherever it stands.
fn three_valued(membership: InSubquery, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Expr> {
    if let Some(row) = RowMembership::of(&membership) {
        return row.questions(schema, context)?.three_valued(membership.negated);
    }
    let nulls = Nulls::of(&membership, schema);
    if !nulls.any() {
        return Ok(Expr::InSubquery(membership));
    }
    let questions = Questions::of(&membership, &nulls, schema)?;
    let mut unknown = Vec::new();
    if nulls.rows {
        unknown.push(questions.has_null(false)?);
    }
    if nulls.value {
        unknown.push(membership.expr.as_ref().clone().is_null().and(questions.has_row(false)?));
    }
    let mut when_then = vec![(Box::new(questions.has_equal(false)?), Box::new(lit(!membership.negated)))];
    if let Some(unknown) = unknown.into_iter().reduce(Expr::or) {
        when_then.push((Box::new(unknown), Box::new(lit(ScalarValue::Boolean(None)))));
    }
    Ok(Expr::Case(Case::new(None, when_then, Some(Box::new(lit(membership.negated))))))
}

/// The rows of a subquery by a name of their own: they may be of the table that the outer row is of. Around a subquery
/// that reads the outer row DataFusion cannot take one.
const ROWS: &str = "__rows";

/// The questions that EXISTS answers.
struct Questions<'a> {
    subquery: &'a Subquery,
    /// The rows of the subquery.
    rows: LogicalPlan,
    /// The value as the subquery sees it.
    value: Expr,
    column: Expr,
}

impl<'a> Questions<'a> {
    fn of(membership: &'a InSubquery, nulls: &Nulls, schema: &DFSchema) -> DfResult<Self> {
        let subquery = &membership.subquery;
        if nulls.any() {
            check_stable(membership)?;
        }
        check_value(&membership.expr)?;
        let rows = if subquery.outer_ref_columns.is_empty() {
            LogicalPlanBuilder::from(subquery.subquery.as_ref().clone()).alias(ROWS)?.build()?
        } else {
            check_names(membership)?;
            subquery.subquery.as_ref().clone()
        };
        Ok(Self {
            subquery,
            value: as_outer(membership.expr.as_ref().clone(), schema)?,
            column: Expr::Column(Column::from(rows.schema().qualified_field(0))),
            rows,
        })
    }

    fn has_equal(&self, negated: bool) -> DfResult<Expr> {
        self.exists(Some(self.value.clone().eq(self.column.clone())), negated)
    }

    fn has_null(&self, negated: bool) -> DfResult<Expr> {
        self.exists(Some(self.column.clone().is_null()), negated)
    }

    fn has_row(&self, negated: bool) -> DfResult<Expr> {
        self.exists(None, negated)
    }

    fn exists(&self, condition: Option<Expr>, negated: bool) -> DfResult<Expr> {
        exists(&self.rows, condition, negated, &self.subquery.spans)
    }
}

/// Whether some row has the condition.
fn exists(rows: &LogicalPlan, condition: Option<Expr>, negated: bool, spans: &Spans) -> DfResult<Expr> {
    let mut rows = LogicalPlanBuilder::from(rows.clone());
    if let Some(condition) = condition {
        rows = rows.filter(condition)?;
    }
    let mut plan = rows.build()?;
    let mut outer_ref_columns = plan.all_out_ref_exprs();
    if outer_ref_columns.is_empty() {
        // One row is enough: all others would be paired with every row of the outer query.
        plan = LogicalPlanBuilder::from(plan).limit(0, Some(1))?.build()?;
        outer_ref_columns = Vec::new();
    }
    let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: spans.clone() };
    Ok(Expr::Exists(Exists { subquery, negated }))
}

/// Refuses a value that the subquery cannot see.
fn check_value(value: &Expr) -> DfResult<()> {
    let reads_outer = value.has_part(&mut |part| match part {
        Expr::ScalarSubquery(inner) => Ok(!inner.outer_ref_columns.is_empty()),
        Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_) => Ok(true),
        _ => Ok(false),
    })?;
    match reads_outer {
        true => Err(Error::invalid(
            "the left side of IN (subquery) is a subquery that reads the outer row: compute it in a derived table \
             first, such as FROM (SELECT *, (SELECT ...) AS v FROM t) x WHERE x.v IN (...)",
        )
        .into()),
        false => Ok(()),
    }
}

/// Refuses what would be computed twice and may not.
fn check_stable(membership: &InSubquery) -> DfResult<()> {
    match membership.expr.is_volatile() || is_volatile_plan(&membership.subquery.subquery)? {
        true => Err(Error::invalid(
            "IN (subquery) with NULLs over values that change with each call, such as random(): store them with \
             CREATE TABLE ... AS and read the table",
        )
        .into()),
        false => Ok(()),
    }
}

/// Refuses a value of a table whose name the rows of the subquery have, too: they would be taken for each other.
fn check_names(membership: &InSubquery) -> DfResult<()> {
    let of_rows = membership.subquery.subquery.schema();
    let shared = membership.expr.column_refs().into_iter().find(|column| {
        column.relation.is_some() && of_rows.iter().any(|(relation, _)| relation == column.relation.as_ref())
    });
    match shared {
        Some(column) => Err(Error::invalid(format!(
            "the subquery of IN reads the outer row and a table of the same name: give that table another name in the \
             subquery, and write what is compared as name.{}",
            column.name
        ))
        .into()),
        None => Ok(()),
    }
}

/// The value with its columns as columns of the outer query.
fn as_outer(value: Expr, schema: &DFSchema) -> DfResult<Expr> {
    value
        .change_parts(&mut |part| match part {
            Expr::Column(column) => {
                let field = Arc::clone(schema.field_from_column(&column)?);
                Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
            }
            other => Ok(Transformed::no(other)),
        })
        .data()
}
