//! Keys of `=` and of IS NOT DISTINCT FROM do not meet in one join.
//!
//! A join of DataFusion 55.2 has one rule for the NULLs of all its keys. Two optimizer rules bring keys together without
//! asking for it: one takes the equalities of a condition for keys of a join that has keys already, the other flattens
//! several inner joins and the filter above them, and gives all keys the rule of the topmost join. `x JOIN y ON x.s IS NOT
//! DISTINCT FROM y.s WHERE x.i = y.i` found rows whose i is NULL on both sides; in another order rows were lost. Before
//! that happens, keys for which NULL equals NULL become keys that are never NULL, which mean the same by either rule.
//! Joins of one meaning stay as they are.
//!
//! Can go when both rules keep the two apart: `tests/slt/null_equality.slt` then passes without it.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, NullEquality, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Join, JoinType, LogicalPlan, Operator, lit};
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::query::walk::{WalkExpression, WalkPlan};

/// DataFusion's rule that takes keys from the condition of a join.
#[derive(Debug)]
pub(super) struct ExtractKeys {
    inner: ExtractEquijoinPredicate,
}

impl ExtractKeys {
    pub(super) fn new() -> Self {
        Self { inner: ExtractEquijoinPredicate::new() }
    }
}

impl OptimizerRule for ExtractKeys {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(mut join) if join.null_equality == NullEquality::NullEqualsNull && !join.null_aware => {
                if join.on.is_empty() {
                    // Flattened joins have the rule of others, which is not for keys to come.
                    join.null_equality = NullEquality::NullEqualsNothing;
                    return self.inner.rewrite(LogicalPlan::Join(join), config);
                }
                let done = self.inner.rewrite(LogicalPlan::Join(join.clone()), config)?;
                if !done.transformed {
                    return Ok(done);
                }
                self.inner.rewrite(LogicalPlan::Join(with_keys_never_null(join)?), config)
            }
            other => self.inner.rewrite(other, config),
        }
    }
}

/// DataFusion's rule that puts inner joins in an order in which each has keys.
#[derive(Debug)]
pub(super) struct FlattenJoins {
    inner: EliminateCrossJoin,
}

impl FlattenJoins {
    pub(super) fn new() -> Self {
        Self { inner: EliminateCrossJoin::new() }
    }
}

impl OptimizerRule for FlattenJoins {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.inner.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> DfResult<Transformed<LogicalPlan>> {
        // Most statements have no such join: they are not walked through for a change.
        if !has_join_of_nulls(&plan)? {
            return self.inner.rewrite(plan, config);
        }
        let apart = plan.change_nodes(&mut keep_apart)?;
        let done = self.inner.rewrite(apart.data, config)?;
        Ok(Transformed::new(done.data, done.transformed || apart.transformed, done.tnr))
    }
}

fn has_join_of_nulls(plan: &LogicalPlan) -> DfResult<bool> {
    let mut found = false;
    plan.look_at_nodes(&mut |node| {
        found |= matches!(node, LogicalPlan::Join(join) if is_inner_of_nulls(join));
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// The node, with inner joins for which NULL equals NULL changed where they would be flattened together with others, or
/// with an equality of the filter above.
fn keep_apart(node: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Filter(mut filter) if has_equality(&filter.predicate)? => {
            let changed = change_side(&mut filter.input)?;
            Ok(Transformed::new_transformed(LogicalPlan::Filter(filter), changed))
        }
        LogicalPlan::Join(mut join) if is_inner(&join) && (is_inner_join(&join.left) || is_inner_join(&join.right)) => {
            let mut changed = change_side(&mut join.left)?;
            changed |= change_side(&mut join.right)?;
            if is_inner_of_nulls(&join) {
                join = with_keys_never_null(join)?;
                changed = true;
            }
            Ok(Transformed::new_transformed(LogicalPlan::Join(join), changed))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// Whether the input is a join that was changed.
fn change_side(side: &mut Arc<LogicalPlan>) -> DfResult<bool> {
    match side.as_ref() {
        LogicalPlan::Join(join) if is_inner_of_nulls(join) => {
            *side = Arc::new(LogicalPlan::Join(with_keys_never_null(join.clone())?));
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn is_inner(join: &Join) -> bool {
    join.join_type == JoinType::Inner
}

fn is_inner_join(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Join(join) if is_inner(join))
}

fn is_inner_of_nulls(join: &Join) -> bool {
    is_inner(join) && join.null_equality == NullEquality::NullEqualsNull
}

/// Whether two sides that both have columns must be equal: what may become a key.
fn has_equality(predicate: &Expr) -> DfResult<bool> {
    predicate.has_part(&mut |part| match part {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            Ok(left.any_column_refs() && right.any_column_refs())
        }
        _ => Ok(false),
    })
}

/// The join with the same rows, whose keys have a value in every row: the key itself or, for NULL, some value of its type,
/// and beside it whether it is NULL.
fn with_keys_never_null(mut join: Join) -> DfResult<Join> {
    let mut keys = Vec::new();
    let mut conditions: Vec<Expr> = join.filter.take().into_iter().collect();
    for (left, right) in std::mem::take(&mut join.on) {
        let (left_schema, right_schema) = (join.left.schema(), join.right.schema());
        if !left.nullable(left_schema)? || !right.nullable(right_schema)? {
            // A value equals no NULL.
            push_new(&mut keys, (left, right));
            continue;
        }
        match (value_of(&left, left_schema)?, value_of(&right, right_schema)?) {
            (Some(left_value), Some(right_value)) => {
                push_new(&mut keys, (left_value, right_value));
                push_new(&mut keys, (left.is_null(), right.is_null()));
            }
            _ => {
                let both = BinaryExpr::new(Box::new(left), Operator::IsNotDistinctFrom, Box::new(right));
                conditions.push(Expr::BinaryExpr(both));
            }
        }
    }
    join.on = keys;
    join.filter = conjunction(conditions);
    join.null_equality = NullEquality::NullEqualsNothing;
    Ok(join)
}

/// The key, with some value of its type for NULL; none for a type without a value to take, and for a key that has another
/// value with each call.
fn value_of(key: &Expr, schema: &DFSchema) -> DfResult<Option<Expr>> {
    if key.is_volatile() {
        return Ok(None);
    }
    Ok(ScalarValue::new_default(&key.get_type(schema)?).ok().map(|value| {
        Expr::Case(Case {
            expr: None,
            when_then_expr: vec![(Box::new(key.clone().is_not_null()), Box::new(key.clone()))],
            else_expr: Some(Box::new(lit(value))),
        })
    }))
}

fn push_new(keys: &mut Vec<(Expr, Expr)>, key: (Expr, Expr)) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}
