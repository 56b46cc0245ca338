//! `(a, b) IN (SELECT x, y ...)`: rows in the place of single values.
//!
//! The statement has both sides as `struct(...)` here (`query::statement::row_values`). A row is equal where all of its
//! columns are, and may be equal where each is equal or NULL on one of the sides. Each question that has an equal
//! column in it is a hash join; those by NULLs alone read one row.

use datafusion::common::{DFSchema, Result as DfResult, ScalarValue, Spans};
use datafusion::logical_expr::expr::{Case, InSubquery};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Projection, lit};

use super::super::mixed_numbers::columns_of_row;
use super::super::{RuleContext, intervals, meeting};
use super::{ROWS, as_outer, check_stable, check_value, exists};
use crate::error::Error;

/// Columns that may be NULL: each doubles the questions.
const MOST_NULLABLE: usize = 4;

pub(super) struct RowMembership<'a> {
    membership: &'a InSubquery,
    values: &'a [Expr],
    rows: &'a Projection,
    columns: &'a [Expr],
}

impl<'a> RowMembership<'a> {
    /// `None` where single values are compared.
    pub(super) fn of(membership: &'a InSubquery) -> Option<Self> {
        let LogicalPlan::Projection(rows) = membership.subquery.subquery.as_ref() else { return None };
        let [row] = rows.expr.as_slice() else { return None };
        let (values, columns) = (columns_of_row(&membership.expr)?, columns_of_row(row)?);
        (values.len() == columns.len()).then_some(Self { membership, values, rows, columns })
    }

    pub(super) fn questions(&self, schema: &DFSchema, context: &RuleContext<'_>) -> DfResult<RowQuestions> {
        check_value(&self.membership.expr)?;
        let subquery = &self.membership.subquery;
        let (rows, columns) = self.named_rows()?;
        let fields = self.values.iter().zip(columns).map(|(value, column)| {
            let outer = as_outer(value.clone(), schema)?;
            let equal = meeting::unify(outer.clone().eq(column.clone()), rows.schema(), context)?.data;
            Ok(Field {
                equal: intervals::compare_by_length(equal, rows.schema(), context)?.data,
                // What cannot be told may be NULL.
                column_null: column.nullable(rows.schema()).unwrap_or(true).then(|| column.is_null()),
                outer_null: value.nullable(schema).unwrap_or(true).then(|| outer.is_null()),
                value: value.clone(),
            })
        });
        let fields: Vec<Field> = fields.collect::<DfResult<_>>()?;
        match fields.iter().filter(|field| field.may_be_null()).count() {
            0 => {}
            count if count > MOST_NULLABLE => {
                return Err(Error::invalid(format!(
                    "(a, b, ...) IN (subquery) with {count} columns that may be NULL, more than {MOST_NULLABLE}: write \
                     EXISTS or NOT EXISTS (SELECT 1 FROM ... WHERE x = a AND ...), and WHERE x IS NOT NULL where it holds"
                ))
                .into());
            }
            _ => check_stable(self.membership)?,
        }
        Ok(RowQuestions { rows, fields, spans: subquery.spans.clone() })
    }

    /// The rows with names of their own, which nothing around them has. Around a subquery that reads the outer row
    /// DataFusion cannot take an alias.
    fn named_rows(&self) -> DfResult<(LogicalPlan, Vec<Expr>)> {
        let name = |place: usize| format!("{ROWS}_{place}");
        let columns = self.columns.iter().enumerate().map(|(place, column)| column.clone().alias(name(place)));
        let mut rows =
            LogicalPlanBuilder::from(self.rows.input.as_ref().clone()).project(columns.collect::<Vec<_>>())?;
        if self.membership.subquery.outer_ref_columns.is_empty() {
            rows = rows.alias(ROWS)?;
        }
        let rows = rows.build()?;
        let columns = rows.schema().columns().into_iter().map(Expr::Column).collect();
        Ok((rows, columns))
    }
}

/// One column of the row beside that of the rows.
struct Field {
    /// As the outer query has it.
    value: Expr,
    /// Inside of the subquery, as the other two.
    equal: Expr,
    /// `None` where it is never NULL.
    column_null: Option<Expr>,
    outer_null: Option<Expr>,
}

impl Field {
    fn may_be_null(&self) -> bool {
        self.column_null.is_some() || self.outer_null.is_some()
    }

    /// Whether the column or the value is NULL.
    fn unknown(&self) -> Option<Expr> {
        self.column_null.iter().chain(&self.outer_null).cloned().reduce(Expr::or)
    }
}

/// The questions that EXISTS answers.
pub(super) struct RowQuestions {
    rows: LogicalPlan,
    fields: Vec<Field>,
    spans: Spans,
}

/// Whether a row may be equal by NULLs: where these values are NULL, and some row has the condition.
struct Unknown {
    values: Vec<Expr>,
    condition: Option<Expr>,
}

impl RowQuestions {
    /// True where the predicate is true, else false.
    pub(super) fn two_valued(&self, negated: bool) -> DfResult<Expr> {
        if !negated {
            return self.has_equal(false);
        }
        let mut all = vec![self.has_equal(true)?];
        for unknown in self.unknowns() {
            let none = self.exists(unknown.condition, true)?;
            let known = unknown.values.into_iter().map(Expr::is_not_null).reduce(Expr::or);
            all.push(known.map_or(none.clone(), |known| known.or(none)));
        }
        Ok(conjunction(all).unwrap_or_else(|| lit(true)))
    }

    /// True, false or NULL, wherever it stands.
    pub(super) fn three_valued(&self, negated: bool) -> DfResult<Expr> {
        let mut unknown = None;
        for Unknown { values, condition } in self.unknowns() {
            let some = self.exists(condition, false)?;
            let this = conjunction(values.into_iter().map(Expr::is_null).chain([some])).unwrap_or_else(|| lit(true));
            unknown = Some(match unknown {
                Some(before) => Expr::or(before, this),
                None => this,
            });
        }
        let Some(unknown) = unknown else { return self.has_equal(negated) };
        let when_then = vec![
            (Box::new(self.has_equal(false)?), Box::new(lit(!negated))),
            (Box::new(unknown), Box::new(lit(ScalarValue::Boolean(None)))),
        ];
        Ok(Expr::Case(Case::new(None, when_then, Some(Box::new(lit(negated))))))
    }

    fn has_equal(&self, negated: bool) -> DfResult<Expr> {
        self.exists(conjunction(self.fields.iter().map(|field| field.equal.clone())), negated)
    }

    fn exists(&self, condition: Option<Expr>, negated: bool) -> DfResult<Expr> {
        exists(&self.rows, condition, negated, &self.spans)
    }

    /// Every choice of the columns that are equal, the others being NULL, but that of all.
    fn unknowns(&self) -> Vec<Unknown> {
        let mut unknowns = Vec::new();
        for choice in choices(self.fields.iter().map(|field| if field.may_be_null() { 2 } else { 1 })) {
            let equal = || choice.iter().zip(&self.fields).filter(|(choice, _)| **choice == 0);
            match equal().count() {
                0 => unknowns.extend(self.unknowns_by_nulls()),
                count if count < self.fields.len() => {
                    let conditions = choice.iter().zip(&self.fields).filter_map(|(choice, field)| match choice {
                        0 => Some(field.equal.clone()),
                        _ => field.unknown(),
                    });
                    unknowns.push(Unknown { values: Vec::new(), condition: conjunction(conditions) });
                }
                _ => {}
            }
        }
        unknowns
    }

    /// No column is equal: on which side each is NULL, so that nothing is paired.
    fn unknowns_by_nulls(&self) -> Vec<Unknown> {
        let sides =
            self.fields.iter().map(|field| [&field.column_null, &field.outer_null].into_iter().flatten().count());
        let unknown = |choice: Vec<usize>| {
            let (mut values, mut columns) = (Vec::new(), Vec::new());
            for (side, field) in choice.into_iter().zip(&self.fields) {
                match &field.column_null {
                    Some(column) if side == 0 => columns.push(column.clone()),
                    _ => values.push(field.value.clone()),
                }
            }
            Unknown { values, condition: conjunction(columns) }
        };
        choices(sides).into_iter().map(unknown).collect()
    }
}

/// Every way to take one of several possibilities, by the number of these at each place.
fn choices(counts: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    counts.fold(vec![Vec::new()], |choices, count| {
        let extend = |choice: Vec<usize>| (0..count).map(move |next| [choice.as_slice(), &[next]].concat());
        choices.into_iter().flat_map(extend).collect()
    })
}
