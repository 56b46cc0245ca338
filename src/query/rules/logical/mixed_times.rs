//! Where instants meet days, times without a zone or texts, all of them become instants.
//!
//! DataFusion 55.2 makes naive times of an instant and a day, texts of an instant and a text, and no file is skipped by
//! such a comparison. Here only the casts are put in place: what they mean in the session's zone, `local_time` says.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{Between, Case, Cast, InList, ScalarFunction, WindowFunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, Union, Values, cast, lit,
};

use super::RuleContext;
use crate::query::zone::{UTC, is_instant, is_wall_time};

/// Functions that give one of their arguments.
const CHOICES: [&str; 6] = ["coalesce", "greatest", "least", "nullif", "nvl", "make_array"];

/// Functions of windows that give their third argument where there is no row.
const DEFAULTS: [&str; 2] = ["lag", "lead"];

/// Which texts become instants.
#[derive(Clone, Copy, PartialEq)]
enum Texts {
    /// A comparison with an instant is one of instants.
    All,
    /// The type of a choice may be text, unless the text is written right there.
    Literals,
    /// Of a difference no text says whether it is a time.
    None,
}

/// The type of all instants; a finer unit than microseconds is not cut.
fn instant_for(given: &DataType) -> DataType {
    let unit = match given {
        DataType::Timestamp(unit, _) => *unit,
        _ => TimeUnit::Microsecond,
    };
    DataType::Timestamp(unit, Some(UTC.into()))
}

/// Casts in comparisons, choices and differences.
pub(super) fn rewrite(mut expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let changed = match &mut expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            unify(&mut [left.as_mut(), right.as_mut()], schema, Texts::All)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) => {
            unify(&mut [left.as_mut(), right.as_mut()], schema, Texts::None)
        }
        Expr::WindowFunction(call) => unify_default(call, schema),
        Expr::Between(Between { expr, low, high, .. }) => {
            unify(&mut [expr.as_mut(), low.as_mut(), high.as_mut()], schema, Texts::All)
        }
        Expr::InList(InList { expr, list, .. }) => {
            let mut all: Vec<&mut Expr> = std::iter::once(expr.as_mut()).chain(list).collect();
            unify(&mut all, schema, Texts::All)
        }
        Expr::Case(case) => unify_case(case, schema),
        Expr::ScalarFunction(call) if CHOICES.contains(&call.func.name()) => {
            let mut all: Vec<&mut Expr> = call.args.iter_mut().collect();
            unify(&mut all, schema, Texts::Literals)
        }
        Expr::ScalarFunction(call) if call.func.name() == "nvl2" && call.args.len() == 3 => {
            let mut all: Vec<&mut Expr> = call.args.iter_mut().skip(1).collect();
            unify(&mut all, schema, Texts::Literals)
        }
        _ => false,
    };
    Ok(if changed { Transformed::yes(expression) } else { Transformed::no(expression) })
}

fn is_comparison(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn unify_case(case: &mut Case, schema: &DFSchema) -> bool {
    let (mut compared, mut results): (Vec<&mut Expr>, Vec<&mut Expr>) = (Vec::new(), Vec::new());
    let simple = case.expr.is_some();
    compared.extend(case.expr.as_deref_mut());
    for (when, then) in &mut case.when_then_expr {
        compared.push(when);
        results.push(then);
    }
    results.extend(case.else_expr.as_deref_mut());
    let compared = simple && unify(&mut compared, schema, Texts::All);
    unify(&mut results, schema, Texts::Literals) || compared
}

fn unify_default(call: &mut WindowFunction, schema: &DFSchema) -> bool {
    if !DEFAULTS.contains(&call.fun.name()) {
        return false;
    }
    match call.params.args.as_mut_slice() {
        [value, _, default] => unify(&mut [value, default], schema, Texts::Literals),
        _ => false,
    }
}

/// Whether a cast was put in place.
fn unify(all: &mut [&mut Expr], schema: &DFSchema, texts: Texts) -> bool {
    let types: Vec<Option<DataType>> = all.iter().map(|each| each.get_type(schema).ok()).collect();
    if !types.iter().flatten().any(is_instant) {
        return false;
    }
    let mut changed = false;
    for (each, given) in all.iter_mut().zip(&types) {
        let Some(given) = given else { continue };
        let is_text = match texts {
            Texts::All => given.is_string(),
            Texts::Literals => given.is_string() && matches!(each, Expr::Literal(..)),
            Texts::None => false,
        };
        if is_wall_time(given) || is_text {
            **each = cast(std::mem::take(*each), instant_for(given));
            changed = true;
        }
    }
    changed
}

/// Casts in the branches of UNION.
pub(super) fn unify_branches(node: LogicalPlan, _: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Union(union) = node else { return Ok(Transformed::no(node)) };
    let types_of = |place: usize| union.inputs.iter().map(move |input| input.schema().field(place).data_type());
    let columns = union.inputs.first().map_or(0, |input| input.schema().fields().len());
    let mixed: Vec<bool> =
        (0..columns).map(|place| types_of(place).any(is_instant) && types_of(place).any(is_wall_time)).collect();
    if !mixed.contains(&true) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let inputs = union.inputs.into_iter().map(|input| with_instants(input, &mixed)).collect::<DfResult<Vec<_>>>()?;
    Ok(Transformed::yes(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?)))
}

fn with_instants(input: Arc<LogicalPlan>, mixed: &[bool]) -> DfResult<Arc<LogicalPlan>> {
    let columns: Vec<Expr> = input
        .schema()
        .iter()
        .zip(mixed)
        .map(|((qualifier, field), mixed)| {
            let column = Expr::from((qualifier, field));
            match *mixed && is_wall_time(field.data_type()) {
                true => cast(column, instant_for(field.data_type())).alias_qualified(qualifier.cloned(), field.name()),
                false => column,
            }
        })
        .collect();
    Ok(Arc::new(LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).project(columns)?.build()?))
}

/// The rows of VALUES with the types that they have after their expressions changed: DataFusion 55.2 keeps those of before,
/// and fails when it runs.
pub(super) fn retype_rows(mut values: Values) -> DfResult<LogicalPlan> {
    let nothing = DFSchema::empty();
    let mut fields: Vec<FieldRef> = values.schema.fields().iter().cloned().collect();
    for (place, field) in fields.iter_mut().enumerate() {
        let types: Vec<Option<DataType>> =
            values.values.iter().map(|row| type_of_cell(row.get(place)?, &nothing)).collect();
        let Some(first) = types.iter().flatten().next() else { continue };
        if types.iter().flatten().all(|data_type| data_type == field.data_type()) {
            continue;
        }
        for row in &mut values.values {
            if let Some(cell) = row.get_mut(place) {
                *cell = std::mem::take(cell).cast_to(first, &nothing)?;
            }
        }
        *field = Arc::new(Field::clone(field).with_data_type(first.clone()));
    }
    let schema = DFSchema::from_unqualified_fields(fields.into(), values.schema.metadata().clone())?;
    Ok(LogicalPlan::Values(Values { schema: Arc::new(schema), values: values.values }))
}

/// The type of what is no NULL and no parameter.
fn type_of_cell(cell: &Expr, schema: &DFSchema) -> Option<DataType> {
    match cell {
        Expr::Literal(value, _) if value.is_null() => None,
        Expr::Placeholder(_) => None,
        _ => cell.get_type(schema).ok().filter(|data_type| !data_type.is_null()),
    }
}

/// Times have microseconds, `TIMESTAMPTZ` is the type of all instants, and `from_unixtime(n)` is one; DataFusion gives
/// nanoseconds, which end in 2262, the session's zone to the second and none to the third. `date_bin` keeps the unit.
pub(super) fn name_types(
    expression: Expr,
    schema: &DFSchema,
    context: &RuleContext<'_>,
) -> DfResult<Transformed<Expr>> {
    let is_local =
        |given: &DataType| matches!(given, DataType::Timestamp(_, Some(held)) if held.as_ref() == context.zone);
    let instant = || DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
    let nanos = DataType::Timestamp(TimeUnit::Nanosecond, None);
    Ok(match expression {
        Expr::Cast(Cast { expr, field }) if is_local(field.data_type()) => Transformed::yes(cast(*expr, instant())),
        Expr::Cast(Cast { expr, field }) if *field.data_type() == nanos => {
            Transformed::yes(cast(*expr, DataType::Timestamp(TimeUnit::Microsecond, None)))
        }
        Expr::TryCast(mut try_cast) if *try_cast.field.data_type() == nanos => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
            try_cast.field = Arc::new(try_cast.field.as_ref().clone().with_data_type(micros));
            Transformed::yes(Expr::TryCast(try_cast))
        }
        Expr::ScalarFunction(call) if call.func.name() == "date_bin" => {
            match call.args.get(1).map(|source| source.get_type(schema)) {
                Some(Ok(given)) if matches!(given, DataType::Timestamp(unit, _) if unit != TimeUnit::Nanosecond) => {
                    Transformed::yes(cast(Expr::ScalarFunction(call), given))
                }
                _ => Transformed::no(Expr::ScalarFunction(call)),
            }
        }
        Expr::TryCast(mut try_cast) if is_local(try_cast.field.data_type()) => {
            try_cast.field = Arc::new(try_cast.field.as_ref().clone().with_data_type(instant()));
            Transformed::yes(Expr::TryCast(try_cast))
        }
        Expr::ScalarFunction(ScalarFunction { func, mut args })
            if func.name() == "from_unixtime" && args.len() == 1 =>
        {
            args.push(lit(ScalarValue::from(UTC)));
            Transformed::yes(Expr::ScalarFunction(ScalarFunction { func, args }))
        }
        other => Transformed::no(other),
    })
}
