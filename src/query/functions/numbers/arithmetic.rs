//! `+ - * / %` and `div` of numbers. Integers are BIGINT, decimals exact, `/` is DOUBLE; what does not fit fails.
//!
//! The loops are Arrow's checked kernels. Each function shows itself in column names as the operator that it is.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, Datum};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type};
use arrow::error::ArrowError;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_MATH;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::physical_expr_common::datum::apply;

use super::exact_sums::all_within;
use super::operands::{Class, Needed, common_types, of_product, of_remainder, of_sum, sql_name, wider_types};
use super::quotient;
use crate::doubles::one_zero;
use crate::error::Error;

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    /// Division cut to a whole number.
    WholeDivide,
}

impl Operation {
    pub(super) const ALL: [Operation; 6] = [
        Operation::Add,
        Operation::Subtract,
        Operation::Multiply,
        Operation::Divide,
        Operation::Modulo,
        Operation::WholeDivide,
    ];

    fn name(self) -> &'static str {
        match self {
            Operation::Add => "add",
            Operation::Subtract => "subtract",
            Operation::Multiply => "multiply",
            Operation::Divide => "divide",
            Operation::Modulo => "mod",
            Operation::WholeDivide => "div",
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Operation::Add => "+",
            Operation::Subtract => "-",
            Operation::Multiply => "*",
            Operation::Divide => "/",
            Operation::Modulo => "%",
            Operation::WholeDivide => "div",
        }
    }
}

/// The function of an operation, one instance for all plans.
pub(super) fn function(operation: Operation) -> Arc<ScalarUDF> {
    static FUNCTIONS: LazyLock<[Arc<ScalarUDF>; 6]> =
        LazyLock::new(|| Operation::ALL.map(|operation| Arc::new(ScalarUDF::from(Arithmetic::new(operation)))));
    Arc::clone(&FUNCTIONS[operation as usize])
}

/// One operation as a function of two arguments.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::query) struct Arithmetic {
    operation: Operation,
    signature: Signature,
}

impl Arithmetic {
    fn new(operation: Operation) -> Self {
        Self { operation, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// Whether the call fails for some operands of these types: an overflow, or a division by zero.
    pub(in crate::query) fn can_fail(&self, left: &DataType, right: &DataType, divisor: &Expr) -> bool {
        if left.is_floating() || right.is_floating() {
            return false;
        }
        let divides = matches!(self.operation, Operation::Divide | Operation::Modulo | Operation::WholeDivide);
        match divisor {
            // Only -1 makes the smallest integer overflow.
            Expr::Literal(value, _) if divides => {
                value.is_null() || is_number_literal(value, 0) || is_number_literal(value, -1)
            }
            _ => true,
        }
    }

    /// The exact type of the result of two operands that are brought to common types.
    fn result(&self, left: &DataType, right: &DataType) -> DfResult<Exact> {
        let decimals = match (left, right) {
            (DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)) => Some(((*p1, *s1), (*p2, *s2))),
            _ => None,
        };
        Ok(match (self.operation, decimals) {
            (Operation::Divide, _) => Exact::Fixed(DataType::Float64),
            (Operation::WholeDivide, _) => {
                let floats = [left, right].into_iter().any(|operand| operand.is_floating());
                Exact::Fixed(if floats { DataType::Float64 } else { DataType::Int64 })
            }
            (Operation::Add | Operation::Subtract, Some((left, right))) => Exact::Decimal(of_sum(left, right)),
            (Operation::Multiply, Some((left, right))) => Exact::Decimal(of_product(left, right)?),
            (Operation::Modulo, Some((left, right))) => Exact::Decimal(of_remainder(left, right)),
            (_, None) => Exact::Fixed(left.clone()),
        })
    }

    fn compute(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
        // Arrow's checked kernels look at each result; a look at the operands first costs a fifth of that.
        match self.operation {
            Operation::Add if both_within(left, right, 62) => numeric::add_wrapping(left, right),
            Operation::Add => numeric::add(left, right),
            Operation::Subtract if both_within(left, right, 62) => numeric::sub_wrapping(left, right),
            Operation::Subtract => numeric::sub(left, right),
            Operation::Multiply if both_within(left, right, 31) => numeric::mul_wrapping(left, right),
            Operation::Multiply => numeric::mul(left, right),
            Operation::Modulo => numeric::rem(left, right),
            Operation::Divide => quotient::divide(left, right),
            Operation::WholeDivide => quotient::divide_whole(left, right),
        }
    }

    fn explain(&self, error: ArrowError, arguments: &ScalarFunctionArgs) -> datafusion::error::DataFusionError {
        let sign = self.operation.sign();
        match error {
            ArrowError::DivideByZero => {
                Error::invalid(format!("division by zero in {sign}: write nullif(divisor, 0) to get NULL instead"))
                    .into()
            }
            ArrowError::ArithmeticOverflow(_) => {
                let result = arguments.return_field.data_type();
                let (name, wider) = (sql_name(result), wider_types(result));
                Error::invalid(format!("the result of {sign} is beyond {name}: cast an operand to {wider}")).into()
            }
            other => other.into(),
        }
    }
}

/// What comes of two operands.
enum Exact {
    Fixed(DataType),
    Decimal(Needed),
}

fn is_number_literal(value: &ScalarValue, number: i64) -> bool {
    value.cast_to(&DataType::Float64).is_ok_and(|value| value == ScalarValue::Float64(Some(number as f64)))
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.operation.name()
    }

    /// Of those that users call by their names.
    fn documentation(&self) -> Option<&Documentation> {
        static DIV: LazyLock<Documentation> = LazyLock::new(|| {
            let description = "The quotient cut to a whole number, towards zero: a BIGINT, of a DOUBLE a DOUBLE.";
            Documentation::builder(DOC_SECTION_MATH, description, "div(a, b)").build()
        });
        static MOD: LazyLock<Documentation> = LazyLock::new(|| {
            let description = "What a division cut to a whole number leaves of a, with its sign: a % b.";
            Documentation::builder(DOC_SECTION_MATH, description, "mod(a, b)").build()
        });
        match self.operation {
            Operation::WholeDivide => Some(&DIV),
            Operation::Modulo => Some(&MOD),
            _ => None,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, arguments: &[Expr]) -> DfResult<String> {
        match arguments {
            [left, right] if self.operation != Operation::WholeDivide => {
                Ok(format!("{} {} {}", left.schema_name(), self.operation.sign(), right.schema_name()))
            }
            _ => {
                let names: Vec<String> = arguments.iter().map(|argument| argument.schema_name().to_string()).collect();
                Ok(format!("{}({})", self.name(), names.join(",")))
            }
        }
    }

    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        let refusal = || {
            let given: Vec<String> = types.iter().map(sql_name).collect();
            Error::invalid(format!(
                "{} takes two numbers, not {}: cast text with CAST(x AS DOUBLE) or CAST(x AS DECIMAL(18,4))",
                self.operation.sign(),
                given.join(" and ")
            ))
        };
        let [left, right] = types else { return Err(refusal().into()) };
        if matches!(self.operation, Operation::Divide | Operation::WholeDivide) {
            // Divided as they are: which of them is a DOUBLE says what a zero does.
            let (Some(left), Some(right)) = (Class::of(left), Class::of(right)) else { return Err(refusal().into()) };
            return Ok(vec![left.data_type(), right.data_type()]);
        }
        let (left, right) = common_types(left, right).ok_or_else(refusal)?;
        Ok(vec![left, right])
    }

    fn return_type(&self, types: &[DataType]) -> DfResult<DataType> {
        match types {
            [left, right] => Ok(match self.result(left, right)? {
                Exact::Fixed(fixed) => fixed,
                Exact::Decimal(needed) => needed.data_type(),
            }),
            _ => Err(Error::internal("an operation without two operands").into()),
        }
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> DfResult<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = arguments.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let [left, right] = &arguments.args[..] else {
            return Err(Error::internal("an operation without two operands").into());
        };
        let mut may_overflow = false;
        if let Exact::Decimal(needed) = self.result(&left.data_type(), &right.data_type())? {
            may_overflow = needed.may_overflow();
        }
        let compute = |left: &dyn Datum, right: &dyn Datum| {
            let computed = self.compute(left, right)?;
            if may_overflow {
                check_digits(&computed)?;
            }
            one_zero(&computed)
        };
        apply(left, right, compute).map_err(|error| match error {
            datafusion::error::DataFusionError::ArrowError(error, _) => self.explain(*error, &arguments),
            other => other,
        })
    }

    fn simplify(&self, mut arguments: Vec<Expr>, info: &SimplifyContext) -> DfResult<ExprSimplifyResult> {
        let neutral = match self.operation {
            Operation::Add | Operation::Subtract => 0,
            Operation::Multiply => 1,
            _ => return Ok(ExprSimplifyResult::Original(arguments)),
        };
        let is_neutral = |argument: Option<&Expr>| matches!(argument, Some(Expr::Literal(ScalarValue::Int64(Some(value)), _)) if *value == neutral);
        let both_integers = arguments
            .iter()
            .all(|argument| info.get_data_type(argument).is_ok_and(|data_type| data_type == DataType::Int64));
        if both_integers && arguments.len() == 2 {
            if is_neutral(arguments.get(1)) {
                return Ok(ExprSimplifyResult::Simplified(arguments.swap_remove(0)));
            }
            if self.operation != Operation::Subtract && is_neutral(arguments.first()) {
                return Ok(ExprSimplifyResult::Simplified(arguments.swap_remove(1)));
            }
        }
        Ok(ExprSimplifyResult::Original(arguments))
    }

    /// Of a sum or difference, as DataFusion says it of its own operators; nothing can wrap here.
    fn output_ordering(&self, inputs: &[ExprProperties]) -> DfResult<SortProperties> {
        Ok(match (self.operation, inputs) {
            (Operation::Add, [left, right]) => left.sort_properties.add(&right.sort_properties),
            (Operation::Subtract, [left, right]) => left.sort_properties.sub(&right.sort_properties),
            _ => SortProperties::Unordered,
        })
    }

    /// Of its type: of bounds without one DataFusion forgets how the rows are sorted.
    fn evaluate_bounds(&self, inputs: &[&Interval]) -> DfResult<Interval> {
        let types: Vec<DataType> = inputs.iter().map(|input| input.data_type()).collect();
        Interval::make_unbounded(&self.return_type(&self.coerce_types(&types)?)?)
    }
}

/// Whether all operands are integers so far from the ends of BIGINT that their result fits.
fn both_within(left: &dyn Datum, right: &dyn Datum, bits: u32) -> bool {
    [left, right].into_iter().all(|operand| {
        let integers = operand.get().0.as_primitive_opt::<Int64Type>();
        integers.is_some_and(|integers| all_within(integers.values(), bits))
    })
}

/// Arrow's kernels keep to 128 bits, which hold more than 38 digits.
fn check_digits(computed: &ArrayRef) -> Result<(), ArrowError> {
    match computed.as_primitive_opt::<Decimal128Type>() {
        Some(decimals) => decimals
            .validate_decimal_precision(decimals.precision())
            .map_err(|error| ArrowError::ArithmeticOverflow(error.to_string())),
        None => Ok(()),
    }
}
