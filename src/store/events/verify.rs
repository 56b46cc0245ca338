//! What only a file of events can have wrong.

use crate::store::delta::Verified;

/// A node that was never given; numbers below `nodes` have been.
pub fn fault_of_nodes(found: &Verified, nodes: usize) -> Option<String> {
    let (low, high) = found.bounds_of("node")?;
    let is_given = low >= 0 && usize::try_from(high).is_ok_and(|high| high < nodes);
    (!is_given).then(|| format!("has node {high}, but the identity objects give only {nodes} nodes"))
}
