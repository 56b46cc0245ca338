//! Which rows of the event files a person has: from `person = 42` to conditions on the stored `node`.
//!
//! A predicate on the computed person skips no row group and no page; one on the nodes behind it does.

use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, col, lit};
use parquet::arrow::arrow_reader::RowSelection;

use crate::identity::IdentitySnapshot;
use crate::ids::{Node, Person};
use crate::query::functions::PERSON_AT;
use crate::store::events::RowRanges;

/// A person with more nodes is looked for row by row.
const MOST_NODES: usize = 4_096;

/// The nodes, ascending, to which `filters` confine the rows; `None` where they do not name a person.
pub(super) fn nodes_of_constant_person(filters: &[Expr], identity: &IdentitySnapshot) -> Option<Vec<Node>> {
    let persons = filters.iter().find_map(persons_in)?;
    let mut nodes: Vec<Node> = Vec::new();
    for person in persons {
        let Ok(person) = Person::try_from(person) else { continue };
        nodes.extend(identity.nodes_of(person).take(MOST_NODES + 1));
        if nodes.len() > MOST_NODES {
            return None;
        }
    }
    nodes.sort_unstable();
    nodes.dedup();
    Some(nodes)
}

/// The constants of `person_at(node) = constant`, `constant = person_at(node)` or `person_at(node) IN (constants)`,
/// alone or under AND.
fn persons_in(filter: &Expr) -> Option<Vec<i64>> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            persons_in(left).or_else(|| persons_in(right))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (is_person(left), is_person(right)) {
            (true, _) => Some(vec![constant(right)?]),
            (_, true) => Some(vec![constant(left)?]),
            _ => None,
        },
        Expr::InList(list) if !list.negated && is_person(&list.expr) => list.list.iter().map(constant).collect(),
        _ => None,
    }
}

fn is_person(expression: &Expr) -> bool {
    let Expr::ScalarFunction(call) = expression else { return false };
    call.func.name() == PERSON_AT && matches!(call.args.as_slice(), [Expr::Column(column)] if column.name == "node")
}

fn constant(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Literal(ScalarValue::Int64(value), _) => *value,
        _ => None,
    }
}

/// The condition on the stored column.
pub(super) fn node_condition(nodes: &[Node]) -> Expr {
    match (nodes.first(), nodes.last()) {
        (Some(first), Some(last)) => {
            let list = nodes.iter().map(|node| lit(i64::from(*node))).collect();
            let listed = col("node").in_list(list, false);
            // Bounds prune where the list is too long to.
            if nodes.len() > 1 {
                col("node").gt_eq(lit(i64::from(*first))).and(col("node").lt_eq(lit(i64::from(*last)))).and(listed)
            } else {
                col("node").eq(lit(i64::from(*first)))
            }
        }
        _ => lit(false),
    }
}

/// The file with what of it is to be read.
pub(super) fn with_rows(file: PartitionedFile, row_groups: &[RowRanges]) -> PartitionedFile {
    let row_groups = row_groups.iter().map(|(rows, ranges)| {
        if ranges.is_empty() {
            RowGroupAccess::Skip
        } else {
            RowGroupAccess::Selection(RowSelection::from_consecutive_ranges(ranges.iter().cloned(), *rows))
        }
    });
    file.with_extension(ParquetAccessPlan::new(row_groups.collect()))
}
