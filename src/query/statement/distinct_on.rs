//! A name that stands alone in DISTINCT ON is that of the result, as in ORDER BY (Postgres, DuckDB): with `DISTINCT ON (g) k
//! AS g` one row is kept for each k. DataFusion 55.2 takes the tables' column.

use datafusion::sql::sqlparser::ast::{Distinct, Expr, Query, SelectItem, SetExpr};

use super::normalize;

/// Writes what such names stand for.
pub(super) fn name_outputs(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
    let Some(Distinct::On(keys)) = &mut select.distinct else { return };
    for key in keys {
        let Expr::Identifier(name) = &key else { continue };
        let name = normalize(name);
        let output = select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if normalize(alias) == name => Some(expr.clone()),
            _ => None,
        });
        if let Some(output) = output {
            *key = output;
        }
    }
}
