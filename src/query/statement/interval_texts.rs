//! INTERVAL literals that DataFusion 55.2 reads in another way or not at all: hours and minutes in the text, as in `INTERVAL
//! '1 day 02:30:00'`, a number that is computed, as in `INTERVAL (n + 1) DAY`, and a sign before one of several units.

use datafusion::sql::sqlparser::ast::{BinaryOperator, DataType, Expr, Interval, UnaryOperator, Value};

use crate::query::functions::with_units;

/// Writes the time in the text of a literal interval with its units.
pub(super) fn name_units(expression: &mut Expr) {
    let text = match expression {
        Expr::Interval(Interval { value, leading_field: None, .. }) => value,
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => expr,
        _ => return,
    };
    if let Expr::Value(value) = text.as_mut()
        && let Value::SingleQuotedString(written) = &value.value
        && written.contains(':')
        && let Some(named) = with_units(written)
    {
        value.value = Value::SingleQuotedString(named);
    }
}

/// `INTERVAL (n + 1) DAY` as `(n + 1) * INTERVAL '1' DAY`.
pub(super) fn multiply_unit(expression: &mut Expr) {
    let Expr::Interval(interval) = expression else { return };
    let is_plain = interval.leading_precision.is_none()
        && interval.last_field.is_none()
        && interval.fractional_seconds_precision.is_none();
    if !is_plain || interval.leading_field.is_none() || !matches!(interval.value.as_ref(), Expr::Nested(_)) {
        return;
    }
    let one = Expr::Value(Value::SingleQuotedString("1".to_owned()).into());
    let number = std::mem::replace(interval.value.as_mut(), one);
    let unit = std::mem::replace(expression, Expr::Value(Value::Null.into()));
    *expression = Expr::BinaryOp { left: Box::new(number), op: BinaryOperator::Multiply, right: Box::new(unit) };
}

/// `-INTERVAL '1 day 2 hours'` with the literal in parentheses: DataFusion 55.2 puts the sign of a bare one in front of
/// its text, where it is that of the first unit alone.
pub(super) fn negate_whole(expression: &mut Expr) {
    if let Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } = expression
        && matches!(operand.as_ref(), Expr::Interval(_))
    {
        let interval = std::mem::replace(operand.as_mut(), Expr::Value(Value::Null.into()));
        *operand.as_mut() = Expr::Nested(Box::new(interval));
    }
}
