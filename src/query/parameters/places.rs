//! What the places of parameters in a plan tell of their types. Must not know values.

use std::collections::{HashMap, HashSet};

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, Result as DfResult};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::type_coercion::functions::UDFCoercionExt;
use datafusion::logical_expr::{BinaryExpr, DmlStatement, Expr, ExprSchemable, LogicalPlan, Operator, WriteOp};

use super::arguments::argument_types;
use crate::query::walk::{WalkExpression, WalkPlan};

/// A place that gives a value its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Compared with a value of this type: what the type cannot hold is compared as what it is.
    Compared(DataType),
    /// Compared so, as what comes before or behind it: a number comes nowhere among texts.
    Ordered(DataType),
    /// Becomes a value of this type, such as one of a column: what the type cannot hold is refused.
    Stored(DataType),
}

impl Place {
    pub(super) fn data_type(&self) -> &DataType {
        let (Place::Compared(data_type) | Place::Ordered(data_type) | Place::Stored(data_type)) = self;
        data_type
    }
}

/// How much a hint of a type says; the first is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// `CAST(? AS BIGINT)`.
    Cast,
    /// An argument of a function that names its types: `bitmap_count(?)`.
    Argument,
    /// What stands beside it: `1 + ?`.
    Neighbour,
}

/// All places of the parameters of a plan, by the parameter's id.
#[derive(Debug, Default)]
pub(super) struct Places {
    occurrences: HashMap<String, usize>,
    found: HashMap<String, Vec<Place>>,
    /// Those of which some place asks what comes before or behind it.
    ordered: HashSet<String>,
    hints: HashMap<String, (Rank, DataType)>,
}

impl Places {
    /// Reads a plan and its subqueries.
    pub(super) fn read(&mut self, plan: &LogicalPlan) -> DfResult<()> {
        plan.look_at_nodes(&mut |node| {
            self.read_node(node)?;
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(())
    }

    /// Whether the parameter was met at all: those in table functions are not.
    pub(super) fn met(&self, id: &str) -> bool {
        self.occurrences.contains_key(id)
    }

    /// Whether there is any parameter.
    pub(super) fn any(&self) -> bool {
        !self.occurrences.is_empty()
    }

    /// The place of a parameter, if all its places say the same.
    pub(super) fn place(&self, id: &str) -> Option<Place> {
        let found = self.found.get(id)?;
        let first = found.first()?;
        let agree = self.occurrences.get(id) == Some(&found.len()) && found.iter().all(|place| place == first);
        agree.then(|| match first {
            Place::Compared(data_type) if self.ordered.contains(id) => Place::Ordered(data_type.clone()),
            other => other.clone(),
        })
    }

    /// The best guess at the type of a parameter, for clients that must be told one.
    pub(super) fn hint(&self, id: &str) -> Option<DataType> {
        let place = self.found.get(id).and_then(|found| found.first()).map(|place| place.data_type().clone());
        place.or_else(|| self.hints.get(id).map(|(_, data_type)| data_type.clone()))
    }

    fn read_node(&mut self, node: &LogicalPlan) -> DfResult<()> {
        match node {
            LogicalPlan::Limit(limit) => {
                for rows in [&limit.skip, &limit.fetch].into_iter().flatten() {
                    self.stored(rows, &DataType::Int64);
                }
            }
            LogicalPlan::Filter(filter) => self.hint_at(&filter.predicate, Rank::Neighbour, &DataType::Boolean),
            LogicalPlan::Dml(insert) if matches!(insert.op, WriteOp::Insert(_)) => self.read_insert(insert),
            _ => {}
        }
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        node.look_at_expressions(&mut |expression| {
            expression.look_at_parts(&mut |part| {
                self.read_part(part, &schema);
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(())
    }

    /// Literal rows become values of the columns that the projection over them names.
    fn read_insert(&mut self, insert: &DmlStatement) {
        let LogicalPlan::Projection(projection) = insert.input.as_ref() else { return };
        let LogicalPlan::Values(values) = projection.input.as_ref() else { return };
        for (target, field) in projection.expr.iter().zip(projection.schema.fields()) {
            let index =
                target.column_refs().into_iter().next().and_then(|column| values.schema.maybe_index_of_column(column));
            let Some(index) = index else { continue };
            for row in &values.values {
                if let Some(value) = row.get(index) {
                    self.stored(value, field.data_type());
                }
            }
        }
    }

    fn read_part(&mut self, part: &Expr, schema: &DFSchema) {
        match part {
            Expr::Placeholder(placeholder) => *self.occurrences.entry(placeholder.id.clone()).or_default() += 1,
            Expr::BinaryExpr(binary) => self.read_binary(binary, schema),
            Expr::Between(between) => {
                let (expr, low, high) = (&between.expr, &between.low, &between.high);
                [expr, low, high].into_iter().for_each(|value| self.note_order(value));
                self.compared(low, expr, schema);
                self.compared(high, expr, schema);
                let bound = if has_parameter(low) { high } else { low };
                self.compared(expr, bound, schema);
            }
            Expr::InList(list) => {
                for value in &list.list {
                    self.compared(value, &list.expr, schema);
                }
                if let Some(value) = list.list.iter().find(|value| !has_parameter(value)) {
                    self.compared(&list.expr, value, schema);
                }
            }
            Expr::Like(like) | Expr::SimilarTo(like) => {
                for side in [&like.expr, &like.pattern] {
                    self.found_at(side, Place::Compared(DataType::Utf8));
                }
            }
            Expr::InSubquery(within) => self.compared_with_rows(&within.expr, &within.subquery.subquery),
            Expr::SetComparison(comparison) => self.compared_with_rows(&comparison.expr, &comparison.subquery.subquery),
            Expr::Cast(cast) => self.hint_at(&cast.expr, Rank::Cast, cast.field.data_type()),
            Expr::TryCast(cast) => self.hint_at(&cast.expr, Rank::Cast, cast.field.data_type()),
            Expr::ScalarFunction(call) => self.read_call(call.func.as_ref(), &call.args, schema),
            Expr::AggregateFunction(call) => self.read_call(call.func.as_ref(), &call.params.args, schema),
            Expr::Case(case) => self.read_case(case, schema),
            Expr::Not(condition) => self.hint_at(condition, Rank::Neighbour, &DataType::Boolean),
            _ => {}
        }
    }

    fn read_binary(&mut self, binary: &BinaryExpr, schema: &DFSchema) {
        let sides = [(&binary.left, &binary.right), (&binary.right, &binary.left)];
        for (side, other) in sides {
            if is_comparison(binary.op) {
                self.compared(side, other, schema);
                if is_order(binary.op) {
                    self.note_order(side);
                }
            } else if let Some(data_type) = type_of(other, schema) {
                // Two times cannot be added.
                let is_sum_of_time = binary.op == Operator::Plus && matches!(data_type, DataType::Timestamp(..));
                let wanted = if is_sum_of_time { DataType::Duration(TimeUnit::Microsecond) } else { data_type };
                self.hint_at(side, Rank::Neighbour, &wanted);
            }
        }
    }

    fn read_call(&mut self, function: &impl UDFCoercionExt, arguments: &[Expr], schema: &DFSchema) {
        for (argument, wanted) in arguments.iter().zip(argument_types(function, arguments, schema).unwrap_or_default())
        {
            self.hint_at(argument, Rank::Argument, &wanted);
        }
    }

    fn read_case(&mut self, case: &Case, schema: &DFSchema) {
        let results = case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr);
        let typed = results.clone().find_map(|result| type_of(result, schema));
        if let Some(typed) = typed {
            for result in results {
                self.hint_at(result, Rank::Neighbour, &typed);
            }
        }
        for (when, _) in &case.when_then_expr {
            let Some(tested) = &case.expr else {
                self.hint_at(when, Rank::Neighbour, &DataType::Boolean);
                continue;
            };
            self.compared(when, tested, schema);
            self.compared(tested, when, schema);
        }
    }

    fn compared(&mut self, value: &Expr, with: &Expr, schema: &DFSchema) {
        if let Some(data_type) = type_of(with, schema) {
            self.found_at(value, Place::Compared(data_type));
        }
    }

    fn compared_with_rows(&mut self, value: &Expr, rows: &LogicalPlan) {
        if let Some(field) = rows.schema().fields().first().filter(|field| !field.data_type().is_null()) {
            self.found_at(value, Place::Compared(field.data_type().clone()));
        }
    }

    fn stored(&mut self, value: &Expr, data_type: &DataType) {
        self.found_at(value, Place::Stored(data_type.clone()));
    }

    fn found_at(&mut self, value: &Expr, place: Place) {
        if let Expr::Placeholder(placeholder) = value {
            self.found.entry(placeholder.id.clone()).or_default().push(place);
        }
    }

    fn note_order(&mut self, value: &Expr) {
        if let Expr::Placeholder(placeholder) = value {
            self.ordered.insert(placeholder.id.clone());
        }
    }

    fn hint_at(&mut self, value: &Expr, rank: Rank, data_type: &DataType) {
        let Expr::Placeholder(placeholder) = value else { return };
        if data_type.is_null() || self.hints.get(&placeholder.id).is_some_and(|(held, _)| *held <= rank) {
            return;
        }
        self.hints.insert(placeholder.id.clone(), (rank, data_type.clone()));
    }
}

/// The type that clients are told. JDBC writes milliseconds whatever the unit is (arrow-java#838).
pub(super) fn declared_type(data_type: DataType) -> DataType {
    match data_type {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Millisecond, zone.map(|_| "UTC".into())),
        other => other,
    }
}

fn is_comparison(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn is_order(operator: Operator) -> bool {
    matches!(operator, Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

/// The type of an expression that does not hang on a parameter itself.
fn type_of(expression: &Expr, schema: &DFSchema) -> Option<DataType> {
    if has_parameter(expression) {
        return None;
    }
    expression.get_type(schema).ok().filter(|data_type| !data_type.is_null())
}

fn has_parameter(expression: &Expr) -> bool {
    // The closure does not fail.
    expression.has_part(&mut |part| Ok(matches!(part, Expr::Placeholder(_)))).unwrap_or(true)
}
