//! Values that meet: operands of a comparison, branches of a choice, columns of UNION. What they become together,
//! `mixed_times` says of times and `mixed_numbers` of numbers.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, DFSchemaRef, NullEquality, Result as DfResult};
use datafusion::logical_expr::expr::{Between, Case, InList, WindowFunction};
use datafusion::logical_expr::{
    BinaryExpr, Distinct, Expr, ExprSchemable, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, Union, cast,
};

use super::mixed_times::Texts;
use super::{RuleContext, days_as_numbers, lengths, mixed_numbers, mixed_times, texts_and_decimals};
use crate::error::Error;
use crate::query::zone::{is_instant, is_wall_time};

/// Functions that give one of their arguments.
const CHOICES: [&str; 6] = ["coalesce", "greatest", "least", "nullif", "nvl", "make_array"];

/// Functions of windows that give their third argument where there is no row: DataFusion 55.2 casts it to the type of the
/// first one, and cuts its fraction.
const DEFAULTS: [&str; 2] = ["lag", "lead"];

/// Casts in comparisons, choices and differences.
pub(super) fn unify(mut expression: Expr, schema: &DFSchema, _: &RuleContext<'_>) -> DfResult<Transformed<Expr>> {
    let changed = match &mut expression {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(*op) => {
            unify_all(&mut [left.as_mut(), right.as_mut()], schema, Texts::All)?
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Minus, right }) => {
            unify_times(&mut [left.as_mut(), right.as_mut()], schema, Texts::None)
        }
        Expr::WindowFunction(call) => unify_default(call, schema)?,
        Expr::Between(Between { expr, low, high, .. }) => {
            unify_all(&mut [expr.as_mut(), low.as_mut(), high.as_mut()], schema, Texts::All)?
        }
        Expr::InList(InList { expr, list, .. }) => {
            let mut all: Vec<&mut Expr> = std::iter::once(expr.as_mut()).chain(list).collect();
            unify_all(&mut all, schema, Texts::All)?
        }
        Expr::Case(case) => unify_case(case, schema)?,
        Expr::ScalarFunction(call) if CHOICES.contains(&call.func.name()) => {
            let takes_texts = call.func.name() == "coalesce";
            unify_choice(&mut call.args.iter_mut().collect::<Vec<_>>(), takes_texts, schema)?
        }
        Expr::ScalarFunction(call) if call.func.name() == "nvl2" && call.args.len() == 3 => {
            let mut all: Vec<&mut Expr> = call.args.iter_mut().skip(1).collect();
            unify_all(&mut all, schema, Texts::Literals)?
        }
        _ => false,
    };
    Ok(Transformed::new_transformed(expression, changed))
}

pub(super) fn is_comparison(operator: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(operator, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn types_of(all: &[&mut Expr], schema: &DFSchema) -> Vec<Option<DataType>> {
    all.iter().map(|each| each.get_type(schema).ok()).collect()
}

/// Whether a cast was put in place.
///
/// # Errors
/// `InvalidInput` for a text that is no constant beside a decimal.
fn unify_all(all: &mut [&mut Expr], schema: &DFSchema, texts: Texts) -> DfResult<bool> {
    let types = types_of(all, schema);
    let are_numbers = texts_and_decimals::unify(all, &types)?;
    Ok(mixed_times::unify(all, &types, texts) || mixed_numbers::unify(all, &types) || are_numbers)
}

/// # Errors
/// `InvalidInput` for a text of a column beside a time, of which nobody says that it is one, where the function would take it.
fn unify_choice(all: &mut [&mut Expr], takes_texts: bool, schema: &DFSchema) -> DfResult<bool> {
    let types = types_of(all, schema);
    if takes_texts {
        refuse_texts(all, &types)?;
    }
    let are_numbers = texts_and_decimals::unify(all, &types)?;
    Ok(mixed_times::unify(all, &types, Texts::Literals) || mixed_numbers::unify(all, &types) || are_numbers)
}

fn refuse_texts(all: &[&mut Expr], types: &[Option<DataType>]) -> DfResult<()> {
    let is_time = |given: &DataType| is_instant(given) || is_wall_time(given);
    let is_text = |(each, given): (&&mut Expr, &Option<DataType>)| {
        given.as_ref().is_some_and(DataType::is_string) && !matches!(each, Expr::Literal(..))
    };
    match types.iter().flatten().any(is_time) && all.iter().zip(types).any(is_text) {
        true => Err(Error::invalid(
            "coalesce of a time and a text: write CAST(x AS TIMESTAMP) or CAST(x AS DATE) of the text, or \
             CAST(t AS TEXT) of the time",
        )
        .into()),
        false => Ok(()),
    }
}

/// Of differences numbers are settled already, by the functions that compute them.
fn unify_times(all: &mut [&mut Expr], schema: &DFSchema, texts: Texts) -> bool {
    let types = types_of(all, schema);
    mixed_times::unify(all, &types, texts)
}

/// # Errors
/// `InvalidInput` for a number as the default of a DATE, which would be counted from 1970.
fn unify_default(call: &mut WindowFunction, schema: &DFSchema) -> DfResult<bool> {
    if !DEFAULTS.contains(&call.fun.name()) {
        return Ok(false);
    }
    let [value, _, default] = call.params.args.as_mut_slice() else { return Ok(false) };
    let mut both = [value, default];
    let types = types_of(&both, schema);
    if let [Some(value), Some(default)] = types.as_slice()
        && days_as_numbers::is_day_and_number(value, default)
    {
        return Err(days_as_numbers::refusal().into());
    }
    if mixed_times::unify(&mut both, &types, Texts::Literals) {
        return Ok(true);
    }
    let [_, default] = &both;
    let fits = types.first().and_then(Option::as_ref).is_some_and(|value| keeps_value(default, value));
    Ok(!fits && mixed_numbers::unify_results(&mut both, &types))
}

/// Whether a constant is the same in the type.
fn keeps_value(constant: &Expr, data_type: &DataType) -> bool {
    let Expr::Literal(value, _) = constant else { return false };
    let there_and_back = value.cast_to(data_type).and_then(|cast| cast.cast_to(&value.data_type()));
    there_and_back.is_ok_and(|same| same == *value)
}

fn unify_case(case: &mut Case, schema: &DFSchema) -> DfResult<bool> {
    let (mut compared, mut results): (Vec<&mut Expr>, Vec<&mut Expr>) = (Vec::new(), Vec::new());
    let simple = case.expr.is_some();
    compared.extend(case.expr.as_deref_mut());
    for (when, then) in &mut case.when_then_expr {
        compared.push(when);
        results.push(then);
    }
    results.extend(case.else_expr.as_deref_mut());
    let compared = simple && unify_all(&mut compared, schema, Texts::All)?;
    let types = types_of(&results, schema);
    Ok(mixed_times::unify(&mut results, &types, Texts::Literals)
        || mixed_numbers::unify_results(&mut results, &types)
        || lengths::unify(&mut results, &types)
        || compared)
}

/// Casts in the branches of UNION.
pub(super) fn unify_branches(node: LogicalPlan, _: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Union(union) = node else { return Ok(Transformed::no(node)) };
    let columns = union.schema.fields().len();
    let targets: Vec<Option<DataType>> = (0..columns).map(|place| column_type(&union, place)).collect();
    if targets.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Union(union)));
    }
    let schema = with_types(&union.schema, &targets)?;
    let inputs = union.inputs.into_iter().map(|input| cast_columns(input, &targets)).collect::<DfResult<Vec<_>>>()?;
    Ok(Transformed::yes(LogicalPlan::Union(Union { inputs, schema })))
}

/// The union with columns that may be NULL where one of its branches' may.
pub(super) fn with_nulls_of_branches(mut union: Union) -> DfResult<Union> {
    let may_be_null = |place: usize| union.inputs.iter().any(|input| input.schema().field(place).is_nullable());
    let fields = union.schema.iter().enumerate().map(|(place, (qualifier, field))| {
        (qualifier.cloned(), Arc::new(field.as_ref().clone().with_nullable(may_be_null(place))))
    });
    let schema = DFSchema::new_with_metadata(fields.collect(), union.schema.metadata().clone())?;
    union.schema = Arc::new(schema);
    Ok(union)
}

/// The one type of a column of UNION; `None` where it has it in all branches, or DataFusion finds it.
fn column_type(union: &Union, place: usize) -> Option<DataType> {
    let types = union.inputs.iter().map(|input| input.schema().field(place).data_type());
    let declared = union.schema.field(place).data_type();
    if types.clone().all(|given| given == declared) {
        return None;
    }
    common_type(types)
}

fn common_type<'a>(types: impl Iterator<Item = &'a DataType> + Clone) -> Option<DataType> {
    mixed_times::column_type(types.clone())
        .or_else(|| mixed_numbers::column_type(types.clone()))
        .or_else(|| lengths::column_type(types))
}

/// Casts on both sides of INTERSECT and EXCEPT: DataFusion 55.2 compares rightly, but gives the left side's types.
pub(super) fn unify_sides(node: LogicalPlan, _: &RuleContext<'_>) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(mut join) = node else { return Ok(Transformed::no(node)) };
    if !is_set_operation(&join) {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    let columns = join.left.schema().fields().iter().zip(join.right.schema().fields());
    let types = columns.map(|(left, right)| [left.data_type(), right.data_type()]);
    types.clone().try_for_each(|[left, right]| texts_and_decimals::check_columns(left, right))?;
    let targets: Vec<Option<DataType>> =
        types.map(|both| if both[0] == both[1] { None } else { common_type(both.into_iter()) }).collect();
    if targets.iter().all(Option::is_none) {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    join.left = match Arc::unwrap_or_clone(join.left) {
        // Rows that differ may be equal in the other type.
        LogicalPlan::Distinct(Distinct::All(rows)) => {
            Arc::new(LogicalPlan::Distinct(Distinct::All(cast_columns(rows, &targets)?)))
        }
        rows => cast_columns(Arc::new(rows), &targets)?,
    };
    join.right = cast_columns(join.right, &targets)?;
    LogicalPlan::Join(join).recompute_schema().map(Transformed::yes)
}

/// Only set operations compare all columns so that NULL equals NULL.
pub(super) fn is_set_operation(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.on.len() == join.left.schema().fields().len()
}

fn with_types(schema: &DFSchema, types: &[Option<DataType>]) -> DfResult<DFSchemaRef> {
    let fields = schema.iter().zip(types).map(|((qualifier, field), new)| {
        let field = match new {
            Some(new) => Arc::new(field.as_ref().clone().with_data_type(new.clone())),
            None => Arc::clone(field),
        };
        (qualifier.cloned(), field)
    });
    Ok(Arc::new(DFSchema::new_with_metadata(fields.collect(), schema.metadata().clone())?))
}

fn cast_columns(input: Arc<LogicalPlan>, types: &[Option<DataType>]) -> DfResult<Arc<LogicalPlan>> {
    let is_other = |given: &DataType, new: &DataType| given != new && !given.is_null();
    let fields = || input.schema().iter().zip(types);
    if !fields().any(|((_, field), new)| new.as_ref().is_some_and(|new| is_other(field.data_type(), new))) {
        return Ok(input);
    }
    let columns: Vec<Expr> = fields()
        .map(|((qualifier, field), new)| {
            let column = Expr::from((qualifier, field));
            match new {
                Some(new) if is_other(field.data_type(), new) => {
                    cast(column, new.clone()).alias_qualified(qualifier.cloned(), field.name())
                }
                _ => column,
            }
        })
        .collect();
    Ok(Arc::new(LogicalPlanBuilder::from(Arc::unwrap_or_clone(input)).project(columns)?.build()?))
}
