//! Names of their own for the columns that a subquery over several tables compares with the outer row.
//!
//! DataFusion 55.2 lifts a condition on the outer row out of the subquery, and gives the subquery the columns that the
//! condition reads, all under one alias: of `t2.g = a.g AND t3.g = a.id` both columns become the first `g`.
//!
//! Can go when `PullUpCorrelatedExpr` keeps them apart: `tests/slt/same_names.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result as DfResult};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Subquery, SubqueryAlias};

use super::RuleContext;
use super::correlated_subquery::is_one_row;
use crate::error::Error;
use crate::query::walk::{WalkExpression, WalkPlan};

/// Every subquery comes by as a node of its own, wherever it stands.
///
/// # Errors
/// `InvalidInput` for a derived table inside that compares a column with the outer row and does not show it.
pub(super) fn keep_apart(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Subquery(subquery)
            if !subquery.outer_ref_columns.is_empty() && reads_several_tables(&subquery.subquery) =>
        {
            let plan = rename(Arc::unwrap_or_clone(subquery.subquery), &mut 0)?;
            Ok(Transformed::yes(LogicalPlan::Subquery(Subquery { subquery: Arc::new(plan), ..subquery })))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn rename(plan: LogicalPlan, count: &mut usize) -> DfResult<LogicalPlan> {
    match &plan {
        // It has been here.
        LogicalPlan::Subquery(_) => return Ok(plan),
        // Around one row the next rule takes it away.
        LogicalPlan::SubqueryAlias(alias) if is_derived(alias) && !is_one_row(&alias.input) => {
            check_shown(&alias.input, alias.input.schema())?;
            return Ok(plan);
        }
        _ => {}
    }
    let plan = plan.map_children(|input| Ok(Transformed::yes(rename(input, count)?)))?.data;
    rename_compared(filter_above_join(plan)?, count)
}

fn is_derived(alias: &SubqueryAlias) -> bool {
    !matches!(*alias.input, LogicalPlan::TableScan(_))
}

/// DataFusion compares the column of the derived table that has the name, whatever it is.
fn check_shown(plan: &LogicalPlan, shown: &DFSchema) -> DfResult<()> {
    plan.look_at_own_nodes(&mut |node| {
        node.look_at_expressions(&mut |expression| {
            for condition in split_conjunction(expression).into_iter().filter(|condition| condition.contains_outer()) {
                for column in condition.column_refs() {
                    let same_name = shown.fields().iter().filter(|field| *field.name() == column.name).count();
                    if same_name != 1 || shown.maybe_index_of_column(column).is_none() {
                        return Err(Error::invalid(format!(
                            "a derived table inside a subquery compares {} with the outer row: compare it outside of \
                             the derived table, which then has it among its columns",
                            column.flat_name()
                        ))
                        .into());
                    }
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })
    .map(drop)
}

/// Whether a column of the subquery may have the name of another one: of one table each name is one column, and a view
/// or a derived table that does not read the outer row is one.
fn reads_several_tables(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Join(_) => true,
        LogicalPlan::SubqueryAlias(alias) => is_derived(alias) && !alias.input.all_out_ref_exprs().is_empty(),
        other => other.inputs().into_iter().any(reads_several_tables),
    }
}

/// An inner join that compares with the outer row, as a condition above it: that means the same.
fn filter_above_join(node: LogicalPlan) -> DfResult<LogicalPlan> {
    match node {
        LogicalPlan::Join(mut join) if join.join_type == JoinType::Inner => {
            let (outer, own) = split_by_outer(join.filter.take().into_iter().collect());
            join.filter = conjunction(own);
            let join = LogicalPlan::Join(join);
            match conjunction(outer) {
                Some(outer) => LogicalPlanBuilder::from(join).filter(outer)?.build(),
                None => Ok(join),
            }
        }
        other => Ok(other),
    }
}

/// Conditions that read the outer row, and the others.
fn split_by_outer(conditions: Vec<Expr>) -> (Vec<Expr>, Vec<Expr>) {
    conditions.into_iter().flat_map(split_conjunction_owned).partition(Expr::contains_outer)
}

/// The filter's columns that are compared with the outer row, under names that no other column of the subquery has.
fn rename_compared(node: LogicalPlan, count: &mut usize) -> DfResult<LogicalPlan> {
    let LogicalPlan::Filter(filter) = node else { return Ok(node) };
    let (outer, own) = split_by_outer(vec![filter.predicate.clone()]);
    let mut renamed: Vec<(Column, String)> = Vec::new();
    let outer = outer.into_iter().map(|condition| {
        condition
            .change_parts(&mut |part| match part {
                Expr::Column(column) => {
                    let name = match renamed.iter().find(|(known, _)| *known == column) {
                        Some((_, name)) => name.clone(),
                        None => {
                            *count += 1;
                            let name = format!("__compared_{count}");
                            renamed.push((column, name.clone()));
                            name
                        }
                    };
                    Ok(Transformed::yes(Expr::Column(Column::new_unqualified(name))))
                }
                other => Ok(Transformed::no(other)),
            })
            .data()
    });
    let Some(outer) = conjunction(outer.collect::<DfResult<Vec<_>>>()?) else { return Ok(LogicalPlan::Filter(filter)) };
    if renamed.is_empty() {
        return Ok(LogicalPlan::Filter(filter));
    }
    let columns = || filter.input.schema().columns().into_iter().map(Expr::Column);
    let copies = renamed.iter().map(|(column, name)| Expr::Column(column.clone()).alias(name));
    let mut input = LogicalPlanBuilder::from(filter.input.as_ref().clone());
    if let Some(own) = conjunction(own) {
        input = input.filter(own)?;
    }
    input.project(columns().chain(copies))?.filter(outer)?.project(columns())?.build()
}
