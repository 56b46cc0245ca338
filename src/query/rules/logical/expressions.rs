//! How rules look at the expressions of a node, and change them. Must not know any rule.

use arrow::datatypes::DataType;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Cast, Expr, LogicalPlan, TryCast};

use crate::query::walk::{Change, WalkExpression, WalkPlan};

/// What a CAST or a TRY_CAST casts, and to which type; `None` for another expression. A function of ours that gives a cast
/// a name holds one.
pub(super) fn cast_parts(expression: &Expr) -> Option<(&Expr, &DataType)> {
    match expression {
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
            Some((expr.as_ref(), field.data_type()))
        }
        _ => None,
    }
}

/// Whether some part of the node's expressions is meant. Asked first, since most nodes have none: to change expressions is
/// to move all of them.
pub(super) fn has_part(node: &LogicalPlan, is_meant: impl Fn(&Expr) -> bool) -> DfResult<bool> {
    let mut found = false;
    node.look_at_expressions(&mut |expression| {
        found = expression.has_part(&mut |part| Ok(is_meant(part)))?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// The node with other expressions, under the names that they had; plain columns stay. Its schema is not computed anew.
pub(super) fn map_expressions(
    node: LogicalPlan,
    mut change: impl FnMut(Expr) -> DfResult<Transformed<Expr>>,
) -> DfResult<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&node);
    node.change_expressions(&mut |expression| change_under_name(expression, &names, &mut change))
}

fn change_under_name(expression: Expr, names: &NamePreserver, change: Change<'_>) -> DfResult<Transformed<Expr>> {
    match expression {
        // Most of all expressions: no rule changes what has no parts, and to keep its name is to copy it.
        Expr::Column(_) => Ok(Transformed::no(expression)),
        // Of ROLLUP and its like each key is a column, and the whole has no name.
        Expr::GroupingSet(_) => expression.change_children(&mut |key| change_under_name(key, names, change)),
        _ => {
            let name = names.save(&expression);
            let done = change(expression)?;
            // To restore is to spell the name once more: not for what is as it was.
            Ok(if done.transformed { done.update_data(|changed| name.restore(changed)) } else { done })
        }
    }
}
