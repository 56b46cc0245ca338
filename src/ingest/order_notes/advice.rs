//! What notes on order numbers advise: the whole command, what it needs, and what it changes.

use crate::ids::WorkspaceName;
use crate::settings::OrderKey;

/// For numbers that occur with several brands: `orders`, `order_entries` and `order_items` have one brand an order.
pub(super) fn on_brands(workspace: &WorkspaceName) -> String {
    format!(
        ". Sums by orders.brand count each of them whole under the brand of its earliest purchase, and order_entries and \
         order_items do not tell its brands apart. `convoke workspace set {workspace} order_key=brand` (with the --data of \
         the workspace, while no server has it open) makes an order of each brand, also of what is loaded: sums by \
         orders.brand are right then, a number counts as one order for each of its brands, and a refund must name the brand"
    )
}

/// For orders with purchases of several persons: shops may number their orders alike.
pub(super) fn on_persons(workspace: &WorkspaceName, key: OrderKey) -> String {
    match key.part() {
        None => format!(
            ". Where shops give the same numbers, `convoke workspace set {workspace} order_key=source` (with the --data of \
             the workspace, while no server has it open) counts a number within its source, which rows have by --source \
             at their load, by a column source, or by an ingest token that has one; order_key=brand counts it within its \
             brand, a column of the rows"
        ),
        Some(part) => format!(". Where shops give the same numbers, the rows of each need a {part} of their own"),
    }
}
