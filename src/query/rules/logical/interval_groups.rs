//! Groups intervals by their length, in GROUP BY, DISTINCT, keys of joins (so INTERSECT and EXCEPT) and IN (subquery):
//! DataFusion 55.2 tells a month from 30 days there. A group shows the first of its intervals as it is, as DuckDB does.
//!
//! Can go when intervals are hashed and compared by length: `tests/slt/interval_groups.slt` then passes without it, but
//! for what it refuses.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result as DfResult};
use datafusion::functions_aggregate::first_last::first_value;
use datafusion::logical_expr::expr::{InSubquery, SetComparison};
use datafusion::logical_expr::{
    Aggregate, Distinct, DistinctOn, Expr, ExprSchemable, Join, JoinConstraint, LogicalPlan, LogicalPlanBuilder,
    Subquery,
};

use super::expressions::has_part;
use super::{RuleContext, schema_of_inputs};
use crate::error::Error;
use crate::query::functions::numbers::{has_length, interval_length};
use crate::query::walk::{WalkExpression, WalkPlan};

fn is_interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_))
}

/// The node with groups and keys by length.
///
/// # Errors
/// `InvalidInput` for grouping sets over intervals.
pub(super) fn group_by_length(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Aggregate(aggregate) => {
            let groups = aggregate.group_expr_len()?;
            match aggregate.schema.fields().iter().take(groups).any(|field| is_interval(field.data_type())) {
                true => group(aggregate).map(Transformed::yes),
                false => Ok(Transformed::no(LogicalPlan::Aggregate(aggregate))),
            }
        }
        LogicalPlan::Distinct(Distinct::All(input)) if holds_interval(input.schema()) => {
            let columns = input.schema().columns().into_iter().map(Expr::Column).collect();
            group(Aggregate::try_new(input, columns, Vec::new())?).map(Transformed::yes)
        }
        LogicalPlan::Distinct(Distinct::On(mut distinct)) => {
            let changed = measure_distinct(&mut distinct);
            Ok(Transformed::new_transformed(LogicalPlan::Distinct(Distinct::On(distinct)), changed))
        }
        LogicalPlan::Join(mut join) => {
            let changed = measure_join(&mut join);
            Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn holds_interval(schema: &DFSchema) -> bool {
    schema.fields().iter().any(|field| is_interval(field.data_type()))
}

/// The groups by length, under a projection that shows the first interval of each under the name that is known above.
fn group(aggregate: Aggregate) -> DfResult<LogicalPlan> {
    if aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_))) {
        return Err(Error::invalid(
            "GROUPING SETS, ROLLUP and CUBE over an interval: group by its length in seconds, extract(epoch FROM i)",
        )
        .into());
    }
    let (mut groups, mut firsts, mut shown) = (Vec::new(), Vec::new(), Vec::new());
    for (index, (qualifier, field)) in aggregate.schema.iter().enumerate() {
        match aggregate.group_expr.get(index) {
            Some(interval) if is_interval(field.data_type()) => {
                let first = format!("__first_{index}");
                let interval = interval.clone().unalias();
                groups.push(interval_length(interval.clone()).alias(format!("__length_{index}")));
                firsts.push(first_value(interval, Vec::new()).alias(&first));
                let column = Expr::Column(Column::new_unqualified(first));
                shown.push(column.alias_qualified(qualifier.cloned(), field.name()));
            }
            other => {
                groups.extend(other.cloned());
                shown.push(Expr::from((qualifier, field)));
            }
        }
    }
    let aggregates = aggregate.aggr_expr.into_iter().chain(firsts).collect();
    let grouped = Aggregate::try_new(aggregate.input, groups, aggregates)?;
    LogicalPlanBuilder::from(LogicalPlan::Aggregate(grouped)).project(shown)?.build()
}

fn measure_distinct(distinct: &mut DistinctOn) -> bool {
    let mut changed = false;
    let keys = distinct.sort_expr.iter_mut().flatten().map(|key| &mut key.expr);
    for key in distinct.on_expr.iter_mut().chain(keys) {
        if matches!(key.get_type(distinct.input.schema()), Ok(data_type) if is_interval(&data_type)) {
            *key = interval_length(std::mem::take(key));
            changed = true;
        }
    }
    changed
}

fn measure_join(join: &mut Join) -> bool {
    let mut changed = false;
    for (left, right) in &mut join.on {
        let types = (left.get_type(join.left.schema()), right.get_type(join.right.schema()));
        let (Ok(left_type), Ok(right_type)) = types else { continue };
        let are_lengths = has_length(&left_type) && has_length(&right_type);
        if are_lengths && (is_interval(&left_type) || is_interval(&right_type)) {
            *left = interval_length(std::mem::take(left));
            *right = interval_length(std::mem::take(right));
            changed = true;
        }
    }
    if changed {
        // USING joins columns alone.
        join.join_constraint = JoinConstraint::On;
    }
    changed
}

/// The node, in which an interval is looked for by its length among the rows of a subquery.
pub(super) fn look_up_by_length(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let looks_up = |part: &Expr| matches!(part, Expr::InSubquery(_) | Expr::SetComparison(_));
    if !matches!(node, LogicalPlan::Filter(_) | LogicalPlan::Join(_)) || !has_part(&node, looks_up)? {
        return Ok(Transformed::no(node));
    }
    let schema = schema_of_inputs(&node);
    node.change_expressions(&mut |expression| expression.change_parts(&mut |part| measure_members(part, &schema)))
}

fn measure_members(part: Expr, schema: &DFSchema) -> DfResult<Transformed<Expr>> {
    Ok(match part {
        Expr::InSubquery(InSubquery { expr, subquery, negated }) if are_intervals(&expr, &subquery, schema) => {
            let (expr, subquery) = (Box::new(interval_length(*expr)), lengths_of(&subquery)?);
            Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery, negated }))
        }
        Expr::SetComparison(SetComparison { expr, subquery, op, quantifier })
            if are_intervals(&expr, &subquery, schema) =>
        {
            let (expr, subquery) = (Box::new(interval_length(*expr)), lengths_of(&subquery)?);
            Transformed::yes(Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }))
        }
        other => Transformed::no(other),
    })
}

fn are_intervals(value: &Expr, rows: &Subquery, schema: &DFSchema) -> bool {
    let Some(row) = rows.subquery.schema().fields().first() else { return false };
    match value.get_type(schema) {
        Ok(value) if has_length(&value) && has_length(row.data_type()) => {
            is_interval(&value) || is_interval(row.data_type())
        }
        _ => false,
    }
}

fn lengths_of(rows: &Subquery) -> DfResult<Subquery> {
    let lengths: Vec<Expr> = rows
        .subquery
        .schema()
        .iter()
        .map(|(qualifier, field)| interval_length(Expr::from((qualifier, field))).alias(field.name()))
        .collect();
    let plan = LogicalPlanBuilder::from(rows.subquery.as_ref().clone()).project(lengths)?.build()?;
    Ok(rows.with_plan(Arc::new(plan)))
}
