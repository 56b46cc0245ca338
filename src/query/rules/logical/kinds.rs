//! Kinds of expressions: a rule is asked only about those that it may change. Must not know any rule.
//!
//! To ask a rule is to move the expression there and back. Most expressions are columns and constants that no rule
//! changes, and most others concern two or three of the rules.

use datafusion::logical_expr::Expr;

use crate::doubles::holds_doubles;

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kinds(u16);

impl Kinds {
    /// What no rule looks at: columns, names, most constants.
    pub(super) const NONE: Self = Self(0);
    /// Two operands and an operator, comparisons and AND among them.
    pub(super) const OPERATION: Self = Self(1);
    /// CAST and TRY_CAST.
    pub(super) const CAST: Self = Self(1 << 1);
    pub(super) const CASE: Self = Self(1 << 2);
    /// Functions of a row.
    pub(super) const CALL: Self = Self(1 << 3);
    pub(super) const AGGREGATE: Self = Self(1 << 4);
    pub(super) const WINDOW: Self = Self(1 << 5);
    pub(super) const IN_LIST: Self = Self(1 << 6);
    pub(super) const BETWEEN: Self = Self(1 << 7);
    pub(super) const SCALAR_SUBQUERY: Self = Self(1 << 8);
    pub(super) const NEGATIVE: Self = Self(1 << 9);
    /// Constants that are DOUBLEs or hold some.
    pub(super) const DOUBLES: Self = Self(1 << 10);

    /// The kinds of both.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two have a kind in common.
    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The one kind of an expression.
    pub(super) fn of(expression: &Expr) -> Self {
        match expression {
            Expr::BinaryExpr(_) => Self::OPERATION,
            Expr::Cast(_) | Expr::TryCast(_) => Self::CAST,
            Expr::Case(_) => Self::CASE,
            Expr::ScalarFunction(_) => Self::CALL,
            Expr::AggregateFunction(_) => Self::AGGREGATE,
            Expr::WindowFunction(_) => Self::WINDOW,
            Expr::InList(_) => Self::IN_LIST,
            Expr::Between(_) => Self::BETWEEN,
            Expr::ScalarSubquery(_) => Self::SCALAR_SUBQUERY,
            Expr::Negative(_) => Self::NEGATIVE,
            Expr::Literal(value, _) if holds_doubles(&value.data_type()) => Self::DOUBLES,
            _ => Self::NONE,
        }
    }
}
