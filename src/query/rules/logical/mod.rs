//! Rules over logical plans. They guard against what DataFusion does wrongly: each such file names the fault upstream, and
//! when the rule can go. Others do what SQL.md asks for whatever DataFusion does, such as times in the session's zone.
//!
//! One walk does all rules of a phase, subqueries included, from the leaves up. A plan is *written* when SQL has become
//! a plan: types are settled there, since the client is told the columns of the result. It is *bound* when its
//! parameters have values: what depends on a value, such as a NULL, belongs there. It is *coerced* when the analyzer has
//! put a cast wherever types differ: what a cast means belongs there.

mod aggregate_orders;
mod array_list;
mod branch_names;
mod calendar_frame;
mod computed_in_list;
mod computed_keys;
mod correlated_names;
mod correlated_subquery;
mod days_as_numbers;
mod derived_keys;
mod double_extremes;
mod empty_subquery;
mod equal_windows;
mod expressions;
mod fallible;
mod frame_distance;
mod grouping_keys;
mod in_subquery;
mod insert_casts;
mod interval_groups;
mod interval_texts;
mod intervals;
mod join_keys;
mod json_values;
mod kinds;
mod lengths;
mod local_time;
mod meeting;
mod mixed_numbers;
mod mixed_times;
mod nested_casts;
mod nested_order;
mod nth_value;
mod null_in_list;
mod null_of_two_lists;
mod nullability;
mod numbers;
mod offsets;
mod pad_length;
mod regex_patterns;
mod repeated_sorts;
mod set_comparisons;
mod set_operation_all;
mod short_circuit;
mod shown_zone;
mod streamed_members;
mod texts_and_decimals;
mod time_precision;
mod unique_keys;
mod unlike_values;
mod volatile_group;
mod volatile_operand;
mod window_aggregates;
mod zeros;

use std::cell::Cell;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef, Result as DfResult};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

pub(in crate::query) use self::derived_keys::DerivedTables;
pub(in crate::query) use self::fallible::can_fail;
pub(in crate::query) use self::insert_casts::check_assignment;
use self::kinds::Kinds;
pub(in crate::query) use self::nth_value::check_nth_value;
pub(in crate::query) use self::unique_keys::{may_have_false_key, take_all_keys, without_false_keys};
use crate::error::Result;
use crate::query::walk::{WalkExpression, WalkPlan};
use crate::query::zone::UTC;

/// What a rule knows beside the plan.
pub(in crate::query) struct RuleContext<'a> {
    /// The session's time zone, an IANA name.
    zone: &'a str,
    /// Whether the plan is an INSERT or another change.
    inserts: bool,
}

impl<'a> RuleContext<'a> {
    pub(in crate::query) fn new(zone: &'a str) -> Self {
        Self { zone, inserts: false }
    }
}

/// Changes one expression, of which the parts are done already. The schema is that of the node's inputs.
type ChangeExpression = fn(Expr, &DFSchema, &RuleContext<'_>) -> DfResult<Transformed<Expr>>;

/// What changes expressions, with the kinds that it looks at.
type ExpressionRule = (Kinds, ChangeExpression);

/// Changes or refuses one node, of which the inputs are done already; its expressions follow.
type NodeRule = fn(LogicalPlan, &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>>;

/// The rules of a phase, in their order.
struct Phase {
    nodes: &'static [NodeRule],
    expressions: &'static [ExpressionRule],
    /// The kinds of them all.
    kinds: Kinds,
    /// Rules of nodes whose expressions are done, too.
    closing: &'static [NodeRule],
}

/// What compares: BETWEEN and IN beside the operators.
const COMPARISONS: Kinds = Kinds::OPERATION.and(Kinds::BETWEEN).and(Kinds::IN_LIST);
/// Where values of several types meet.
const MEETING: Kinds = COMPARISONS.and(Kinds::WINDOW).and(Kinds::CASE).and(Kinds::CALL);
const NUMBERS: Kinds = Kinds::OPERATION.and(Kinds::NEGATIVE).and(Kinds::CAST);
const LENGTHS: Kinds = MEETING.and(Kinds::AGGREGATE);
/// What may give a zero with a sign.
const ZEROS: Kinds = NUMBERS.and(Kinds::CALL).and(Kinds::AGGREGATE).and(Kinds::WINDOW).and(Kinds::DOUBLES);

const WRITTEN: Phase = Phase::new(
    &[
        // Before all rules that cast what meets, and those that ask which casts fail.
        json_values::read,
        // Before the rule that builds subqueries of its own.
        correlated_subquery::rewrite,
        mixed_numbers::unify_values,
        repeated_sorts::of_distinct_on,
        meeting::unify_sides,
        // Before the rule that numbers the copies of rows, which are equal by their keys.
        mixed_numbers::unify_keys,
        interval_groups::look_up_by_length,
        in_subquery::rewrite,
        // Behind the rule that makes IN of some.
        set_comparisons::name_members,
        correlated_names::keep_apart,
        set_operation_all::count_copies,
        volatile_group::compute_first,
        volatile_operand::compute_first,
        meeting::unify_branches,
        intervals::sort_by_length,
        short_circuit::evaluate_in_order,
    ],
    &[
        // Before the rules that put casts around members of lists.
        (Kinds::SCALAR_SUBQUERY.and(Kinds::IN_LIST), empty_subquery::allow_null),
        (Kinds::WINDOW, nth_value::refuse),
        (Kinds::WINDOW, frame_distance::refuse),
        (COMPARISONS, unlike_values::refuse),
        // Before the rule that makes instants of all precisions one type.
        (Kinds::CAST, time_precision::round),
        (Kinds::CAST.and(Kinds::CALL), mixed_times::name_types),
        // Before rules that measure lengths by their microseconds.
        (Kinds::CAST, lengths::refuse_numbers),
        (MEETING, meeting::unify),
        (NUMBERS, numbers::rewrite),
        (LENGTHS, intervals::compare_by_length),
        (Kinds::AGGREGATE, repeated_sorts::of_aggregate),
        (Kinds::AGGREGATE, aggregate_orders::sort_apart),
    ],
    &[
        mixed_times::unify_values,
        interval_groups::group_by_length,
        aggregate_orders::check,
        grouping_keys::compute_first,
        // Behind all rules that make a CASE.
        nullability::agree,
        nullability::allow_in_unions,
    ],
);

// A parameter of which only the value tells the type may be a day beside an instant.
const BOUND: Phase = Phase::new(
    &[streamed_members::plan, meeting::unify_branches],
    &[
        // Before the rules of lists.
        (Kinds::CALL, array_list::rewrite),
        (MEETING, meeting::unify),
        (Kinds::IN_LIST, null_in_list::split),
        (NUMBERS, numbers::rewrite),
        (LENGTHS, intervals::compare_by_length),
        // Behind the rules that bring the members of a list to one type.
        (Kinds::IN_LIST, computed_in_list::split),
    ],
    &[null_of_two_lists::keep, interval_groups::group_by_length],
);

const COERCED: Phase = Phase::new(
    &[],
    &[
        // Before the rule that makes calls of casts.
        (Kinds::CAST, days_as_numbers::refuse),
        (Kinds::CAST, nested_casts::refuse),
        (Kinds::OPERATION.and(Kinds::BETWEEN).and(Kinds::CALL), nested_order::compare),
        (Kinds::CAST, interval_texts::check_units),
        (Kinds::CAST, lengths::split_days),
        (Kinds::CAST.and(Kinds::OPERATION).and(Kinds::CALL), local_time::rewrite),
        (Kinds::WINDOW, calendar_frame::check),
        (ZEROS, zeros::unify),
        (Kinds::AGGREGATE, double_extremes::replace),
        (Kinds::CALL, pad_length::keep_above_zero),
        (Kinds::OPERATION.and(Kinds::CALL), regex_patterns::check),
        // Behind the rule that does the same for aggregates of DOUBLEs.
        (Kinds::WINDOW, window_aggregates::replace),
    ],
    &[
        // Once more: the analyzer computes the columns of unions anew.
        nullability::allow_in_unions,
        branch_names::unify,
        equal_windows::compute_once,
        // Behind the rules that put calls around keys.
        join_keys::name_calls,
        computed_keys::compute_first,
    ],
);

/// The rules of a plan as it was written, with its instants shown in the session's zone.
///
/// # Errors
/// `InvalidInput` for what would give wrong rows, with what to write instead.
pub(in crate::query) fn apply_to_written(plan: LogicalPlan, context: &RuleContext<'_>) -> Result<LogicalPlan> {
    insert_casts::check(&plan)?;
    let context = &RuleContext { inserts: matches!(plan, LogicalPlan::Dml(_)), ..*context };
    let plan = offsets::limit(plan)?;
    shown_zone::show(WRITTEN.apply(plan, context)?.recompute_schema()?, context.zone)
}

/// The rules of a plan that has its parameters.
pub(in crate::query) fn apply_to_bound(plan: LogicalPlan, context: &RuleContext<'_>) -> Result<LogicalPlan> {
    Ok(BOUND.apply(plan, context)?)
}

/// The rules of a plan that the analyzer has coerced: the last of its own rules. The zone is that of the session's
/// configuration.
#[derive(Debug)]
pub(in crate::query) struct AfterCoercion;

impl AnalyzerRule for AfterCoercion {
    fn name(&self) -> &str {
        "after_coercion"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> DfResult<LogicalPlan> {
        let context = RuleContext::new(config.execution.time_zone.as_deref().unwrap_or(UTC));
        // Subqueries that may give several rows are told by their keys.
        without_false_keys(COERCED.apply(plan, &context)?)
    }
}

impl Phase {
    const fn new(
        nodes: &'static [NodeRule],
        expressions: &'static [ExpressionRule],
        closing: &'static [NodeRule],
    ) -> Self {
        let (mut kinds, mut next) = (Kinds::NONE, 0);
        while next < expressions.len() {
            kinds = kinds.and(expressions[next].0);
            next += 1;
        }
        Self { nodes, expressions, kinds, closing }
    }

    fn apply(&self, plan: LogicalPlan, context: &RuleContext<'_>) -> DfResult<LogicalPlan> {
        let changed = Cell::new(false);
        let done = plan.change_nodes(&mut |node| {
            // DataFusion's nodes keep the types that the columns of their inputs had, and whether these may be NULL.
            let node = if changed.get() { recompute_columns(node)? } else { node };
            let before = Arc::clone(node.schema());
            let mut done = Transformed::no(node);
            for rule in self.nodes {
                done = done.transform_data(|node| rule(node, context))?;
            }
            done = done.transform_data(|node| self.rewrite_expressions(node, context))?;
            for rule in self.closing {
                done = done.transform_data(|node| rule(node, context))?;
            }
            if done.transformed && !has_same_columns(&before, done.data.schema()) {
                changed.set(true);
            }
            Ok(done)
        })?;
        Ok(done.data)
    }

    fn rewrite_expressions(&self, node: LogicalPlan, context: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
        if !expressions::has_part(&node, |part| self.kinds.meets(Kinds::of(part)))? {
            return Ok(Transformed::no(node));
        }
        let schema = schema_of_inputs(&node);
        let rewritten = expressions::map_expressions(node, |expression| {
            expression.change_parts(&mut |part| self.rewrite_part(part, &schema, context))
        })?;
        match rewritten.transformed {
            true => rewritten.map_data(|node| match node {
                LogicalPlan::Values(values) => mixed_times::retype_rows(values),
                other => other.recompute_schema(),
            }),
            false => Ok(rewritten),
        }
    }

    fn rewrite_part(&self, part: Expr, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
        let mut done = Transformed::no(part);
        for (kinds, rule) in self.expressions {
            if kinds.meets(Kinds::of(&done.data)) {
                done = done.transform_data(|part| rule(part, schema, context))?;
            }
        }
        // The parts of what a rule made are done: it does not see its own work again.
        Ok(Transformed::new(done.data, done.transformed, TreeNodeRecursion::Continue))
    }
}

/// The node with the columns that its inputs have now. DataFusion 55.2 keeps those of UNION.
fn recompute_columns(node: LogicalPlan) -> DfResult<LogicalPlan> {
    match node.recompute_schema()? {
        LogicalPlan::Union(union) => Ok(LogicalPlan::Union(meeting::with_nulls_of_branches(union)?)),
        other => Ok(other),
    }
}

/// Whether the columns have the same types, and may be NULL in both.
fn has_same_columns(one: &DFSchema, other: &DFSchema) -> bool {
    let (one, other) = (one.fields(), other.fields());
    let same = |(one, other): (&FieldRef, &FieldRef)| {
        one.data_type() == other.data_type() && one.is_nullable() == other.is_nullable()
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}

/// The columns that the expressions of a node can name.
fn schema_of_inputs(node: &LogicalPlan) -> DFSchemaRef {
    match node.inputs().as_slice() {
        [] => Arc::new(DFSchema::empty()),
        // Most nodes: nothing is copied.
        [input] => Arc::clone(input.schema()),
        inputs => {
            let mut schema = DFSchema::empty();
            inputs.iter().for_each(|input| schema.merge(input.schema()));
            Arc::new(schema)
        }
    }
}

/// Whether something in the plan gives another value with each call.
fn is_volatile_plan(plan: &LogicalPlan) -> DfResult<bool> {
    let mut found = false;
    plan.look_at_nodes(&mut |node| {
        node.look_at_expressions(&mut |expression| {
            found |= expression.is_volatile();
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
