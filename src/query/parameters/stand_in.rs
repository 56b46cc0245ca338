//! Typed parameters while a statement is planned.
//!
//! DataFusion's planner takes a type for `$1` only from a PREPARE statement, and forgets it in INSERT and DELETE. So each
//! parameter whose type is known is planned as a call of a function without arguments that has this type, and
//! becomes a placeholder of the type when the plan stands.

use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{self, FunctionArgumentList, FunctionArguments, Ident, ObjectName, Value};

use crate::query::statement::walk::visit_expressions_mut;
use crate::query::walk::{WalkExpression, WalkPlan};

/// What is known of the parameters of a statement while it is planned: an extension of the session.
#[derive(Debug, Default)]
pub(in crate::query) struct PlanningParameters {
    types: Vec<Option<DataType>>,
    values: Option<Vec<ScalarValue>>,
    in_table_function: Arc<AtomicBool>,
}

impl PlanningParameters {
    /// Parameters of these types, where there is one.
    pub(in crate::query) fn typed(types: Vec<Option<DataType>>) -> Self {
        Self { types, ..Self::default() }
    }

    /// Parameters with these values, which table functions look up.
    pub(in crate::query) fn bound(types: Vec<Option<DataType>>, values: Vec<ScalarValue>) -> Self {
        let types =
            types.into_iter().zip(&values).map(|(own, value)| own.or_else(|| Some(value.data_type()))).collect();
        Self { types, values: Some(values), ..Self::default() }
    }

    /// The values, if the statement is planned with them.
    pub(in crate::query) fn values(&self) -> Option<&[ScalarValue]> {
        self.values.as_deref()
    }

    /// Notes that a parameter stands in the arguments of a table function.
    pub(in crate::query) fn note_table_function(&self) {
        self.in_table_function.store(true, Ordering::Relaxed);
    }

    /// Whether a parameter stands in the arguments of a table function: then binding means planning again.
    pub(in crate::query) fn in_table_function(&self) -> bool {
        self.in_table_function.load(Ordering::Relaxed)
    }

    fn is_typed(&self) -> bool {
        self.types.iter().any(Option::is_some)
    }

    fn function(&self, id: &str) -> Option<StandIn> {
        let index = id.strip_prefix('$')?.parse::<usize>().ok()?.checked_sub(1)?;
        let data_type = self.types.get(index)?.clone()?;
        Some(StandIn {
            id: id.to_owned(),
            data_type,
            value: self.values.as_ref().and_then(|values| values.get(index)).cloned(),
            folded: Arc::clone(&self.in_table_function),
            signature: Signature::nullary(Volatility::Stable),
        })
    }
}

/// Puts calls of stand-ins in the place of the typed parameters of the statement.
pub(in crate::query) fn put_stand_ins(
    parameters: &PlanningParameters,
    state: &mut SessionState,
    statement: &mut DfStatement,
) -> DfResult<()> {
    if !parameters.is_typed() {
        return Ok(());
    }
    match statement {
        DfStatement::Statement(statement) => {
            let mut registered = Ok(());
            let flow = visit_expressions_mut(statement.as_mut(), |expression| {
                let ast::Expr::Value(value) = expression else { return ControlFlow::Continue(()) };
                let Value::Placeholder(id) = &value.value else { return ControlFlow::Continue(()) };
                let Some(function) = parameters.function(id) else { return ControlFlow::Continue(()) };
                if let Err(error) = state.register_udf(Arc::new(ScalarUDF::from(function))) {
                    registered = Err(error);
                    return ControlFlow::Break(());
                }
                *expression = call_of(id);
                ControlFlow::Continue(())
            });
            if flow.is_break() { registered } else { Ok(()) }
        }
        DfStatement::Explain(explain) => put_stand_ins(parameters, state, &mut explain.statement),
        _ => Ok(()),
    }
}

fn call_of(id: &str) -> ast::Expr {
    ast::Expr::Function(ast::Function {
        name: ObjectName::from(vec![Ident::with_quote('"', id)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: Vec::new(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// The plan with typed placeholders in the place of stand-ins, if there can be any.
pub(in crate::query) fn take_stand_ins(plan: LogicalPlan, state: &SessionState) -> DfResult<LogicalPlan> {
    let typed = state.config().get_extension::<PlanningParameters>().is_some_and(|parameters| parameters.is_typed());
    if typed { placeholders(plan) } else { Ok(plan) }
}

/// The plan with typed placeholders in the place of stand-ins.
pub(super) fn placeholders(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let done = plan.change_nodes(&mut |node| {
        let names = NamePreserver::new(&node);
        node.change_expressions(&mut |expression| {
            let name = names.save(&expression);
            let done = expression.change_parts(&mut |part| Ok(placeholder_of(part)))?;
            Ok(if done.transformed { done.update_data(|expression| name.restore(expression)) } else { done })
        })
    })?;
    Ok(done.data)
}

fn placeholder_of(part: Expr) -> Transformed<Expr> {
    if let Expr::ScalarFunction(call) = &part
        && let Some(stand_in) = call.func.inner().downcast_ref::<StandIn>()
    {
        let field = Field::new(&stand_in.id, stand_in.data_type.clone(), true);
        let placeholder = Placeholder::new_with_field(stand_in.id.clone(), Some(Arc::new(field)));
        return Transformed::yes(Expr::Placeholder(placeholder));
    }
    Transformed::no(part)
}

/// A parameter as a function without arguments. It has the name of the parameter, which no user can call.
#[derive(Debug)]
struct StandIn {
    id: String,
    data_type: DataType,
    value: Option<ScalarValue>,
    folded: Arc<AtomicBool>,
    signature: Signature,
}

impl PartialEq for StandIn {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.data_type == other.data_type && self.value == other.value
    }
}

impl Eq for StandIn {}

impl Hash for StandIn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
        self.data_type.hash(state);
    }
}

impl ScalarUDFImpl for StandIn {
    fn name(&self) -> &str {
        &self.id
    }

    fn schema_name(&self, _args: &[Expr]) -> DfResult<String> {
        Ok(self.id.clone())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> DfResult<DataType> {
        Ok(self.data_type.clone())
    }

    /// Only arguments of table functions are simplified before the plan stands.
    fn simplify(&self, _args: Vec<Expr>, _info: &SimplifyContext) -> DfResult<ExprSimplifyResult> {
        self.folded.store(true, Ordering::Relaxed);
        // Without a value only the columns are asked for, and some functions tell them for no NULL with a type.
        let sample = || ScalarValue::new_one(&self.data_type).unwrap_or(ScalarValue::Null);
        let value = self.value.clone().unwrap_or_else(sample);
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(value, None)))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        match &self.value {
            Some(value) => Ok(ColumnarValue::Scalar(value.clone())),
            None => Err(DataFusionError::Plan(format!("parameter {} has no value: bind it", self.id))),
        }
    }
}
