//! Subqueries that read the outer row (correlated ones) and whose rows depend on more than their conditions.
//!
//! DataFusion 55.2 turns such a subquery into a join: it lifts the conditions on the outer row above everything else in
//! the subquery. That is wrong where something below them counts or cuts rows: an aggregate without GROUP BY, which has
//! a row for no input, too (datafusion#24960), OFFSET and LIMIT (#25283, #25284), grouping sets (#25519), window
//! functions. What has the same meaning in a form that is planned rightly is rewritten, the rest refused.
//!
//! Can go when those are closed: `tests/slt/correlated.slt` then passes without it.

mod lateral;
mod reach;

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result as DfResult, Spans};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{Exists, InSubquery, SetComparison};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, FetchType, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator,
    SkipType, Subquery, lit,
};
use datafusion::optimizer::decorrelate::PullUpCorrelatedExpr;

use super::expressions::map_expressions;
use super::mixed_numbers::is_row;
use super::{RuleContext, schema_of_inputs};
use crate::error::Error;
use crate::query::walk::{WalkExpression, WalkPlan};

/// # Errors
/// `InvalidInput` for a subquery that DataFusion would answer wrongly, with what to write instead.
pub(super) fn rewrite(node: LogicalPlan, _context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let node = lateral::prepare(node)?;
    let mut found = false;
    node.data.look_at_expressions(&mut |expression| {
        expression.look_at_parts(&mut |part| {
            reach::check_operand(part)?;
            if let Some(subquery) = subquery_of(part).filter(|subquery| !subquery.outer_ref_columns.is_empty()) {
                found = true;
                reach::check_subquery(subquery, &schema_of_inputs(&node.data))?;
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    if !found {
        return Ok(node);
    }
    let done =
        node.transform_data(|node| map_expressions(node, |expression| expression.change_parts(&mut rewrite_part)))?;
    reach::check_conditions(&done.data)?;
    Ok(done)
}

fn subquery_of(part: &Expr) -> Option<&Subquery> {
    match part {
        Expr::Exists(Exists { subquery, .. })
        | Expr::InSubquery(InSubquery { subquery, .. })
        | Expr::SetComparison(SetComparison { subquery, .. })
        | Expr::ScalarSubquery(subquery) => Some(subquery),
        _ => None,
    }
}

fn rewrite_part(part: Expr) -> DfResult<Transformed<Expr>> {
    let Some(subquery) = subquery_of(&part).filter(|subquery| !subquery.outer_ref_columns.is_empty()) else {
        return Ok(Transformed::no(part));
    };
    check_unnest(&subquery.subquery)?;
    Ok(match part {
        Expr::Exists(exists) => {
            let holds = existence(&exists.subquery.subquery)?.into_expression(&exists)?;
            Transformed::yes(holds)
        }
        Expr::InSubquery(InSubquery { expr, subquery, .. }) if is_one_row(&subquery.subquery) && is_row(&expr) => {
            return Err(Error::invalid(
                "(a, b) IN (subquery) with a subquery of one row that reads the outer row is not supported: compare each \
                 column, a = (SELECT ...) AND b = (SELECT ...)",
            )
            .into());
        }
        Expr::InSubquery(InSubquery { expr, subquery, negated }) if is_one_row(&subquery.subquery) => {
            let op = if negated { Operator::NotEq } else { Operator::Eq };
            Transformed::yes(compare_with_one_row(expr, op, subquery)?)
        }
        Expr::SetComparison(SetComparison { expr, subquery, op, .. }) if is_one_row(&subquery.subquery) => {
            Transformed::yes(compare_with_one_row(expr, op, subquery)?)
        }
        Expr::ScalarSubquery(subquery) => {
            let value = without_aliases(&subquery.subquery)?;
            check_value(&value)?;
            Transformed::yes(Expr::ScalarSubquery(correlated(value, &subquery.spans)))
        }
        Expr::InSubquery(InSubquery { ref subquery, .. }) | Expr::SetComparison(SetComparison { ref subquery, .. }) => {
            check_rows(&subquery.subquery)?;
            check_join(&subquery.subquery, PullUpCorrelatedExpr::new().with_in_predicate_opt(Some(lit(true))))?;
            Transformed::no(part)
        }
        other => Transformed::no(other),
    })
}

/// Refuses rows that are made of a list of the outer row: DataFusion plans them, and fails when it runs.
fn check_unnest(plan: &LogicalPlan) -> DfResult<()> {
    let is_of_outer_row =
        plan.has_own_node(&mut |node| matches!(node, LogicalPlan::Unnest(_)) && !node.all_out_ref_exprs().is_empty())?;
    match is_of_outer_row {
        true => Err(Error::invalid(
            "a subquery over unnest(l) of a list of the outer row is not supported: write array_has(l, x) for a value, \
             cardinality(l) > 0 for any row; or make the rows in a derived table, SELECT k, unnest(l) AS x FROM t",
        )
        .into()),
        false => Ok(()),
    }
}

/// A subquery of exactly one row is a value, and of values DataFusion counts the row without input.
fn compare_with_one_row(value: Box<Expr>, op: Operator, subquery: Subquery) -> DfResult<Expr> {
    let row = without_aliases(&subquery.subquery)?;
    check_value(&row)?;
    let row = Expr::ScalarSubquery(correlated(row, &subquery.spans));
    Ok(Expr::BinaryExpr(BinaryExpr::new(value, op, Box::new(row))))
}

/// Whether the plan has one row whatever its input: columns over an aggregate without groups.
pub(super) fn is_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => is_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_one_row(&alias.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        _ => false,
    }
}

/// One row without the names of derived tables around its aggregate: DataFusion looks for the mark of a row without input
/// right above the aggregate.
fn without_aliases(plan: &LogicalPlan) -> DfResult<LogicalPlan> {
    if !is_one_row(plan) {
        return Ok(plan.clone());
    }
    match plan {
        LogicalPlan::SubqueryAlias(alias) => without_aliases(&alias.input),
        LogicalPlan::Projection(projection) => {
            let input = without_aliases(&projection.input)?;
            let columns =
                projection.expr.iter().zip(projection.schema.iter()).map(|(expression, (qualifier, field))| {
                    let renamed = expression.clone().change_parts(&mut |part| match part {
                        Expr::Column(column) => {
                            let place = projection.input.schema().index_of_column(&column)?;
                            Ok(Transformed::yes(Expr::from(input.schema().qualified_field(place))))
                        }
                        other => Ok(Transformed::no(other)),
                    })?;
                    Ok(renamed.data.alias_qualified(qualifier.cloned(), field.name()))
                });
            let columns = columns.collect::<DfResult<Vec<_>>>()?;
            LogicalPlanBuilder::from(input).project(columns)?.build()
        }
        other => Ok(other.clone()),
    }
}

/// The input of the aggregate that makes a plan one row, or none by HAVING.
fn below_one_row(plan: &LogicalPlan) -> Option<&LogicalPlan> {
    match plan {
        LogicalPlan::Projection(projection) => below_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => below_one_row(&alias.input),
        LogicalPlan::Aggregate(Aggregate { group_expr, input, .. }) if group_expr.is_empty() => Some(input),
        _ => None,
    }
}

/// What an EXISTS says.
enum Existence {
    Always,
    Never,
    /// Whether this plan has rows, by its conditions alone.
    Rows(LogicalPlan),
    /// A subquery of one row and one truth value.
    Holds(LogicalPlan),
    /// Whether the plan has more rows than these.
    MoreThan(LogicalPlan, usize),
}

/// Looks through what changes neither whether there are rows nor, below an OFFSET, how many.
fn existence(plan: &LogicalPlan) -> DfResult<Existence> {
    match plan {
        LogicalPlan::Projection(_) | LogicalPlan::SubqueryAlias(_) => through(plan),
        LogicalPlan::Sort(sort) => existence(&sort.input),
        LogicalPlan::Distinct(Distinct::All(_)) => match through(plan)? {
            Existence::MoreThan(..) => Ok(Existence::Rows(plan.clone())),
            other => Ok(other),
        },
        LogicalPlan::Distinct(Distinct::On(on)) => existence(&on.input),
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => Ok(Existence::Always),
        LogicalPlan::Filter(filter) if is_one_row(&filter.input) => {
            let holds = filter.predicate.clone().is_true().alias("holds");
            let plan = LogicalPlanBuilder::from(filter.input.as_ref().clone()).project([holds])?.build()?;
            Ok(Existence::Holds(plan))
        }
        LogicalPlan::Limit(limit) => match (limit.get_skip_type()?, limit.get_fetch_type()?) {
            (_, FetchType::Literal(Some(0))) => Ok(Existence::Never),
            (SkipType::Literal(0), FetchType::Literal(_)) => existence(&limit.input),
            (SkipType::Literal(skip), FetchType::Literal(_)) => {
                Ok(Existence::MoreThan(limit.input.as_ref().clone(), skip))
            }
            _ => Err(limit_refusal().into()),
        },
        other => Ok(Existence::Rows(other.clone())),
    }
}

fn through(plan: &LogicalPlan) -> DfResult<Existence> {
    let input = match plan.inputs().first() {
        Some(input) => existence(input)?,
        None => return Ok(Existence::Rows(plan.clone())),
    };
    Ok(match input {
        Existence::Rows(input) => Existence::Rows(plan.with_new_exprs(plan.expressions(), vec![input])?),
        other => other,
    })
}

impl Existence {
    fn into_expression(self, exists: &Exists) -> DfResult<Expr> {
        let negated = exists.negated;
        match self {
            Existence::Always => Ok(lit(!negated)),
            Existence::Never => Ok(lit(negated)),
            Existence::Rows(plan) => {
                check_rows(&plan)?;
                check_join(&plan, PullUpCorrelatedExpr::new().with_exists_sub_query(true))?;
                Ok(Expr::Exists(Exists { subquery: correlated(plan, &exists.subquery.spans), negated }))
            }
            Existence::Holds(plan) => {
                check_value(&plan)?;
                let holds = Expr::ScalarSubquery(correlated(plan, &exists.subquery.spans));
                Ok(if negated { Expr::Not(Box::new(holds)) } else { holds })
            }
            Existence::MoreThan(plan, skip) => {
                let counted = LogicalPlanBuilder::from(plan).aggregate(Vec::<Expr>::new(), [count(lit(1))])?.build()?;
                check_value(&counted)?;
                let rows = Expr::ScalarSubquery(correlated(counted, &exists.subquery.spans));
                let skip = lit(i64::try_from(skip).unwrap_or(i64::MAX));
                Ok(if negated { rows.lt_eq(skip) } else { rows.gt(skip) })
            }
        }
    }
}

fn correlated(plan: LogicalPlan, spans: &Spans) -> Subquery {
    Subquery { outer_ref_columns: plan.all_out_ref_exprs(), subquery: Arc::new(plan), spans: spans.clone() }
}

/// A subquery that is one value: an aggregate without groups may stand at its top.
fn check_value(plan: &LogicalPlan) -> DfResult<()> {
    check_rows(below_one_row(plan).unwrap_or(plan))?;
    check_join(plan, PullUpCorrelatedExpr::new().with_need_handle_count_bug(true))
}

/// Refuses what DataFusion would not find a join for when the statement runs, by its own measure.
fn check_join(plan: &LogicalPlan, mut joins: PullUpCorrelatedExpr) -> DfResult<()> {
    // Conditions of an inner join become conditions below it first.
    let in_join =
        plan.has_own_node(&mut |node| matches!(node, LogicalPlan::Join(_)) && node.contains_outer_reference())?;
    if in_join || plan.all_out_ref_exprs().is_empty() || (!joins.need_handle_count_bug && filters_one_table(plan)) {
        return Ok(());
    }
    with_conditions_of_outer_row(plan)?.rewrite(&mut joins)?;
    if joins.can_pull_up {
        return Ok(());
    }
    Err(Error::invalid(
        "a subquery that reads the outer row in this way is not supported: compare with the outer row by = where the \
         subquery aggregates, and in WHERE only; or join the tables and GROUP BY the outer row",
    )
    .into())
}

/// The plan with `x = x` of the outer row as the optimizer will have written it: as it stands, DataFusion leaves it out
/// here, and finds it in the way of the join later.
fn with_conditions_of_outer_row(plan: &LogicalPlan) -> DfResult<LogicalPlan> {
    let done = plan.clone().change_own_nodes(&mut |node| match node {
        LogicalPlan::Filter(_) => {
            node.change_expressions(&mut |condition| condition.change_parts(&mut simplify_equality))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(done.data)
}

fn simplify_equality(part: Expr) -> DfResult<Transformed<Expr>> {
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) if left == right && left.contains_outer() => {
            Ok(Transformed::yes(left.is_not_null()))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// Whether the plan has columns and constants of the rows of one table that meet conditions: a join is found for each of
/// these, so that most statements are planned without looking for it twice.
fn filters_one_table(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => {
            let is_plain = |column: &Expr| matches!(column, Expr::Column(_) | Expr::Literal(..));
            projection.expr.iter().all(is_plain) && filters_one_table(&projection.input)
        }
        LogicalPlan::Filter(filter) => filters_one_table(&filter.input),
        // A view or a derived table that does not read the outer row is a table.
        LogicalPlan::SubqueryAlias(alias) => alias.input.all_out_ref_exprs().is_empty(),
        LogicalPlan::TableScan(_) => true,
        _ => false,
    }
}

/// Refuses what counts or cuts rows above a condition on the outer row.
fn check_rows(plan: &LogicalPlan) -> DfResult<()> {
    plan.look_at_own_nodes(&mut |node| {
        // Beside a condition on the outer row, a LIMIT is lost even where it has no part in it.
        if matches!(node, LogicalPlan::Limit(_)) {
            return Err(limit_refusal().into());
        }
        let cuts = match node {
            LogicalPlan::Join(join) => !keeps_conditions(join),
            LogicalPlan::Window(_) | LogicalPlan::Distinct(Distinct::On(_)) => true,
            LogicalPlan::Aggregate(aggregate) => {
                aggregate.group_expr.is_empty()
                    || aggregate.group_expr.iter().any(|group| matches!(group, Expr::GroupingSet(_)))
            }
            _ => false,
        };
        if cuts && !node.all_out_ref_exprs().is_empty() {
            return Err(Error::invalid(
                "a subquery that reads the outer row inside an aggregate, GROUPING SETS, DISTINCT ON, a window function, \
                 INTERSECT, EXCEPT or the side of an outer join that may be without a row is not supported: compute these for all rows in a derived table, with the column that the outer row \
                 is compared with in its GROUP BY or PARTITION BY, and compare outside of it",
            )
            .into());
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .map(drop)
}

/// Whether a condition on the outer row means the same above the join as where it stands below or in it.
fn keeps_conditions(join: &Join) -> bool {
    let reads_outer_row = |side: &LogicalPlan| !side.all_out_ref_exprs().is_empty();
    let in_condition = || {
        let conditions = join.filter.iter().chain(join.on.iter().flat_map(|(left, right)| [left, right]));
        conditions.into_iter().any(|condition| {
            // A condition that cannot be looked into is taken for one that reads it.
            condition.has_part(&mut |part| Ok(matches!(part, Expr::OuterReferenceColumn(..)))).unwrap_or(true)
        })
    };
    match join.join_type {
        JoinType::Inner => true,
        JoinType::Left => !reads_outer_row(&join.right) && !in_condition(),
        JoinType::Right => !reads_outer_row(&join.left) && !in_condition(),
        _ => false,
    }
}

fn limit_refusal() -> Error {
    Error::invalid(
        "LIMIT and OFFSET in a subquery that reads the outer row are not supported: take min(x), max(x) or \
         first_value(x ORDER BY y), or number the rows in a derived table with row_number() OVER (PARTITION BY ...) and \
         compare the number",
    )
}
