//! The clauses of one SELECT.

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, GroupByWithModifier, NamedWindowDefinition, NamedWindowExpr, Select, SelectFlavor,
    SelectItem, SelectItemQualifiedWildcardKind, Value, WildcardAdditionalOptions,
};

use super::function::{check_frame, check_inner_sort};
use super::query::check_no_named_window;
use super::{constants, refuse, relation};
use crate::error::Result;

pub(super) fn check(select: &Select) -> Result<()> {
    let Select {
        select_token: _,
        // Comments.
        optimizer_hints: _,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        // Refused by the plan that it makes.
        into: _,
        from,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having,
        named_window,
        qualify,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    refuse(select_modifiers.is_some(), "STRAIGHT_JOIN, SQL_NO_CACHE and the like", "leave it out")?;
    refuse(top.is_some(), "TOP", "write LIMIT n at the end")?;
    refuse(exclude.is_some(), "EXCLUDE behind the SELECT list", "write SELECT * EXCLUDE (column)")?;
    refuse(!lateral_views.is_empty(), "LATERAL VIEW", "write SELECT unnest(list) FROM ...")?;
    refuse(prewhere.is_some(), "PREWHERE", "write WHERE: conditions are moved into the scan by themselves")?;
    refuse(!connect_by.is_empty(), "CONNECT BY", "write WITH RECURSIVE")?;
    refuse(!cluster_by.is_empty(), "CLUSTER BY", "write ORDER BY")?;
    refuse(!distribute_by.is_empty(), "DISTRIBUTE BY", "leave it out")?;
    refuse(!sort_by.is_empty(), "SORT BY", "write ORDER BY")?;
    refuse(value_table_mode.is_some(), "SELECT AS STRUCT and SELECT AS VALUE", "write SELECT named_struct('a', a)")?;
    refuse(matches!(flavor, SelectFlavor::FromFirstNoSelect), "FROM without SELECT", "write SELECT * FROM t")?;
    projection.iter().try_for_each(check_item)?;
    if let Some(Distinct::On(keys)) = distinct {
        keys.iter().try_for_each(constants::check_distinct)?;
    }
    check_group_by(group_by)?;
    for NamedWindowDefinition(_, window) in named_window {
        if let NamedWindowExpr::WindowSpec(window) = window {
            check_frame(window.window_frame.as_ref())?;
            window.order_by.iter().try_for_each(check_inner_sort)?;
        }
    }
    for (clause, expression) in [("HAVING", having), ("QUALIFY", qualify)] {
        if let Some(expression) = expression {
            check_no_named_window(expression, clause)?;
        }
    }
    from.iter().flat_map(|relations| &relations.joins).try_for_each(relation::check_join)
}

fn check_item(item: &SelectItem) -> Result<()> {
    match item {
        SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { expr: _, alias: _ } => Ok(()),
        SelectItem::ExprWithAliases { .. } => refuse(true, "several names for one column", "write x.a AS a, x.b AS b"),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(_), options)
        | SelectItem::Wildcard(options) => check_wildcard(options),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(_), _) => {
            refuse(true, ".* behind a value", "name the fields: x['a'] AS a")
        }
    }
}

fn check_wildcard(options: &WildcardAdditionalOptions) -> Result<()> {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude: _,
        opt_except: _,
        opt_replace: _,
        opt_rename,
        opt_alias,
    } = options;
    refuse(opt_ilike.is_some(), "ILIKE behind *", "write the columns, or * EXCLUDE (a)")?;
    refuse(opt_rename.is_some(), "RENAME behind *", "write * EXCLUDE (a), a AS b")?;
    refuse(opt_alias.is_some(), "a name behind *", "leave it out")
}

fn check_group_by(group_by: &GroupByExpr) -> Result<()> {
    let (expressions, modifiers) = match group_by {
        GroupByExpr::All(modifiers) => (&[][..], modifiers),
        GroupByExpr::Expressions(expressions, modifiers) => (&expressions[..], modifiers),
    };
    for modifier in modifiers {
        // Those that can be done are rewritten before.
        match modifier {
            GroupByWithModifier::Rollup => refuse(true, "WITH ROLLUP here", "write GROUP BY ROLLUP (a, b)"),
            GroupByWithModifier::Cube => refuse(true, "WITH CUBE here", "write GROUP BY CUBE (a, b)"),
            GroupByWithModifier::Totals => refuse(true, "WITH TOTALS", "write GROUP BY GROUPING SETS ((a, b), ())"),
            GroupByWithModifier::GroupingSets(_) => {
                refuse(true, "GROUPING SETS behind the columns", "write GROUP BY GROUPING SETS ((a, b), (a), ())")
            }
        }?;
    }
    expressions.iter().chain(expressions.iter().flat_map(grouped)).try_for_each(constants::check_group)?;
    // DataFusion takes a number there for a constant, not for a column of the SELECT list.
    let by_number = expressions.iter().flat_map(grouped).any(is_number);
    refuse(by_number, "a column's number inside ROLLUP, CUBE or GROUPING SETS", "name the column")
}

/// The columns of ROLLUP, CUBE and GROUPING SETS.
fn grouped(expression: &Expr) -> impl Iterator<Item = &Expr> {
    let sets = match expression {
        Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) => &sets[..],
        _ => &[],
    };
    sets.iter().flatten()
}

fn is_number(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if matches!(value.value, Value::Number(..)))
}
