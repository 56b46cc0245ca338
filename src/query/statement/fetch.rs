//! `FETCH FIRST n ROWS ONLY` as the LIMIT that it is; DataFusion 55.2 passes over it. WITH TIES and PERCENT are refused
//! where clauses are looked at.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, LimitClause, Query, Value, VisitMut, VisitorMut};

use super::walk::visit_mut;

/// Rewrites it wherever it stands in the statement.
pub(super) fn rewrite(statement: &mut impl VisitMut) {
    // It breaks off nowhere.
    let _: ControlFlow<()> = visit_mut(statement, &mut Rewrite);
}

struct Rewrite;

impl VisitorMut for Rewrite {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let Some(fetch) = query.fetch.take_if(|fetch| !fetch.with_ties && !fetch.percent) else {
            return ControlFlow::Continue(());
        };
        let rows = fetch.quantity.clone().unwrap_or_else(|| Expr::Value(Value::Number("1".to_owned(), false).into()));
        let all = || LimitClause::LimitOffset { limit: None, offset: None, limit_by: Vec::new() };
        match query.limit_clause.get_or_insert_with(all) {
            LimitClause::LimitOffset { limit: limit @ None, limit_by, .. } if limit_by.is_empty() => {
                *limit = Some(rows);
            }
            // Both say how many rows: refused.
            _ => query.fetch = Some(fetch),
        }
        ControlFlow::Continue(())
    }
}
