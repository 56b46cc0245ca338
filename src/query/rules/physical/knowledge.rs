//! What is known of the rows below a node, such as that a column is constant, and which of it holds above the node, too.
//! Must know no rule.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{AcrossPartitions, EquivalenceProperties};
use datafusion::physical_plan::PlanProperties;

/// What goes up of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Knowledge {
    All,
    Nothing,
    /// Which columns have the same value in each row.
    SameColumns,
    AllButOrder,
    /// All but the columns that have one value in each partition, but not everywhere.
    AllButPartitionConstants,
}

impl Knowledge {
    /// The properties that are left; the very same ones if all goes up.
    pub(super) fn of(self, known: &Arc<PlanProperties>) -> DfResult<Arc<PlanProperties>> {
        let rows = &known.eq_properties;
        let kept = match self {
            Self::Nothing if has_any(rows) => EquivalenceProperties::new(Arc::clone(rows.schema())),
            Self::SameColumns if has_any(rows) => same_columns(rows)?,
            Self::AllButOrder if !rows.oeq_class().is_empty() => without_order(rows.clone()),
            Self::AllButPartitionConstants if has_partition_constants(rows) => {
                without_partition_constants(rows.clone())
            }
            _ => return Ok(Arc::clone(known)),
        };
        Ok(Arc::new(PlanProperties::clone(known).with_eq_properties(kept)))
    }
}

fn has_any(rows: &EquivalenceProperties) -> bool {
    !rows.eq_group().is_empty() || !rows.oeq_class().is_empty()
}

/// A column and what is computed from others, such as `b = coalesce(a, 0)`, are no longer the same where both are NULL.
fn same_columns(rows: &EquivalenceProperties) -> DfResult<EquivalenceProperties> {
    let mut kept = EquivalenceProperties::new(Arc::clone(rows.schema()));
    for class in rows.eq_group().iter() {
        // Constants of one unknown value stand in one class, too: they need not be the same.
        if class.iter().any(|part| rows.is_expr_constant(part).is_some()) {
            continue;
        }
        let mut columns = class.iter().filter(|part| part.downcast_ref::<Column>().is_some());
        let Some(first) = columns.next() else { continue };
        for other in columns {
            kept.add_equal_conditions(Arc::clone(first), Arc::clone(other))?;
        }
    }
    Ok(kept)
}

fn without_order(mut rows: EquivalenceProperties) -> EquivalenceProperties {
    rows.clear_orderings();
    rows
}

fn has_partition_constants(rows: &EquivalenceProperties) -> bool {
    rows.constants().iter().any(|constant| constant.across_partitions == AcrossPartitions::Heterogeneous)
}

fn without_partition_constants(mut rows: EquivalenceProperties) -> EquivalenceProperties {
    rows.clear_per_partition_constants();
    rows
}
