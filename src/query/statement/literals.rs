//! Numbers as they are written: with an exponent, or with more digits than a DECIMAL has, they are DOUBLE. The same walk
//! does what else the planner should read in another way.
//!
//! DataFusion 55.2 makes a decimal of negative scale of `1e3` and divides by it with a panic (apache/datafusion#24898).

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, Query, SetExpr, Statement, TableFactor, TimezoneInfo, Value, VisitorMut,
};

use super::cast_names::{name_columns, tell_keys_apart};
use super::compose::call_of;
use super::distinct_on::name_outputs;
use super::interval_texts::{multiply_unit, name_units, negate_whole};
use super::walk::visit_mut;

/// Digits of the widest decimal.
const MOST_DIGITS: usize = 38;

/// The statement with its numbers as the planner should read them.
pub(super) fn rewrite(statement: &mut DfStatement) {
    match statement {
        DfStatement::Statement(inner) => {
            match inner.as_mut() {
                Statement::Query(query) => name_columns(query),
                Statement::CreateTable(table) => {
                    if let Some(query) = &mut table.query {
                        name_columns(query);
                    }
                }
                _ => {}
            }
            // Cannot break off.
            let _ = visit_mut(inner, &mut Doubles);
            if let Statement::Insert(insert) = inner.as_mut()
                && let Some(source) = &mut insert.source
                && let SetExpr::Values(values) = source.body.as_mut()
            {
                values
                    .rows
                    .iter_mut()
                    .flat_map(|row| row.content.iter_mut())
                    .for_each(|cell| mark_written_cast(cell, |_| true));
            }
        }
        DfStatement::Explain(explain) => rewrite(&mut explain.statement),
        _ => {}
    }
}

struct Doubles;

impl VisitorMut for Doubles {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        mark_casts(&mut query.body);
        name_outputs(query);
        tell_keys_apart(query);
        if let Some(with) = &mut query.with {
            with.cte_tables.iter_mut().for_each(|table| name_columns(&mut table.query));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, relation: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Derived { subquery, .. } = relation {
            name_columns(subquery);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        name_units(expression);
        multiply_unit(expression);
        negate_whole(expression);
        if let Expr::Value(value) = expression
            && let Value::Number(digits, _) = &value.value
            && is_double(digits)
        {
            let mut text = value.clone();
            text.value = Value::SingleQuotedString(digits.clone());
            *expression = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(Expr::Value(text)),
                data_type: DataType::DoublePrecision,
                array: false,
                format: None,
            };
        }
        ControlFlow::Continue(())
    }
}

/// Whether a number is a DOUBLE as it is written.
pub(super) fn is_double(number: &str) -> bool {
    if number.contains(['e', 'E']) {
        return true;
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let count = |digits: &str| digits.bytes().filter(u8::is_ascii_digit).count();
    count(whole.trim_start_matches('0')) + count(fraction) > MOST_DIGITS
}

/// Casts to decimals and to times without a zone in rows of VALUES: those that the planner puts beside a DOUBLE, or an
/// instant, are taken away again.
fn mark_casts(body: &mut SetExpr) {
    let is_meant = |data_type: &DataType| {
        matches!(
            data_type,
            DataType::Decimal(_)
                | DataType::Dec(_)
                | DataType::Numeric(_)
                | DataType::DecimalUnsigned(_)
                | DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone)
                | DataType::Datetime(_)
        )
    };
    match body {
        SetExpr::Values(values) => {
            let cells = values.rows.iter_mut().flat_map(|row| row.content.iter_mut());
            cells.for_each(|cell| mark_written_cast(cell, is_meant));
        }
        SetExpr::SetOperation { left, right, .. } => {
            mark_casts(left);
            mark_casts(right);
        }
        _ => {}
    }
}

/// A cast that a user writes in a row, hidden in a call: what the planner casts itself to fit the column stands in the
/// plan as a cast, and `query::write` and the rules over plans must tell them apart.
fn mark_written_cast(cell: &mut Expr, is_meant: fn(&DataType) -> bool) {
    match cell {
        Expr::Nested(inner) => return mark_written_cast(inner, is_meant),
        Expr::Cast { data_type, .. } if is_meant(data_type) => {}
        _ => return,
    }
    let cast = std::mem::replace(cell, Expr::Value(Value::Null.into()));
    *cell = call_of("coalesce", vec![cast]);
}
