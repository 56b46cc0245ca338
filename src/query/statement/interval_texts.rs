//! INTERVAL literals that DataFusion 55.2 reads in another way or not at all: hours and minutes in the text, as in `INTERVAL
//! '1 day 02:30:00'`, a fraction of a month, a number that is computed or a parameter, as in `INTERVAL (n + 1) DAY` and
//! `INTERVAL ? DAY`, and a sign before one of several units.

use datafusion::sql::sqlparser::ast::{BinaryOperator, CastKind, DataType, Expr, Interval, UnaryOperator, Value};

use crate::query::functions::{spell_fractions, with_units};

/// Writes the time in the text of a literal interval with its units, and its fractions of years, months and weeks in
/// months, days and time.
pub(super) fn name_units(expression: &mut Expr) {
    match expression {
        Expr::Interval(Interval { value, leading_field: None, .. }) => {
            name_times(value);
            if let Some(written) = text_of(value)
                && let Some(spelled) = spell_fractions(&written)
            {
                **value = text(spelled);
            }
        }
        Expr::Interval(Interval { value, leading_field: unit @ Some(_), last_field: None, .. }) => {
            if let (Some(written), Some(name)) = (text_of(value), unit.as_ref())
                && let Some(spelled) = spell_fractions(&format!("{written} {name}"))
            {
                **value = text(spelled);
                *unit = None;
            }
        }
        // Its fractions are read where the cast is planned.
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => name_times(expr),
        _ => {}
    }
}

fn name_times(written: &mut Expr) {
    if let Expr::Value(value) = written
        && let Value::SingleQuotedString(written) = &value.value
        && written.contains(':')
        && let Some(named) = with_units(written)
    {
        value.value = Value::SingleQuotedString(named);
    }
}

/// What the literal of an interval says; `None` of one that is computed.
fn text_of(written: &Expr) -> Option<String> {
    match written {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(written) | Value::Number(written, false) => Some(written.clone()),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr: number } => match number.as_ref() {
            Expr::Value(value) if matches!(value.value, Value::Number(_, false)) => Some(format!("-{}", value.value)),
            _ => None,
        },
        _ => None,
    }
}

fn text(written: String) -> Expr {
    Expr::Value(Value::SingleQuotedString(written).into())
}

/// `INTERVAL (n + 1) DAY` and `INTERVAL ? DAY` as `(n + 1) * INTERVAL '1' DAY`, and `INTERVAL ?` as `CAST(? AS INTERVAL)`.
pub(super) fn multiply_unit(expression: &mut Expr) {
    let Expr::Interval(interval) = expression else { return };
    let is_plain = interval.leading_precision.is_none()
        && interval.last_field.is_none()
        && interval.fractional_seconds_precision.is_none();
    let (is_parameter, is_computed) = match interval.value.as_ref() {
        Expr::Value(value) => (matches!(value.value, Value::Placeholder(_)), false),
        other => (false, matches!(other, Expr::Nested(_))),
    };
    if !is_plain || !(is_parameter || is_computed) {
        return;
    }
    if interval.leading_field.is_none() {
        if is_parameter {
            let parameter = std::mem::replace(interval.value.as_mut(), Expr::Value(Value::Null.into()));
            *expression = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(parameter),
                data_type: DataType::Interval { fields: None, precision: None },
                array: false,
                format: None,
            };
        }
        return;
    }
    let one = text("1".to_owned());
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
