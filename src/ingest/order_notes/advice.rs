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

/// For orders with purchases of several stores: each may number its receipts by itself.
pub(super) fn on_stores(workspace: &WorkspaceName, key: OrderKey) -> String {
    const MAPPING: &str = "--map source=store_id,store_id=store_id at its load";
    match key {
        OrderKey::OrderId => format!(
            ". Where each store numbers its own receipts, `convoke workspace set {workspace} order_key=source` (with the \
             --data of the workspace, while no server has it open) counts a number within its source, which a row has from \
             its store by {MAPPING}; rows that are there keep the source that they have: `convoke workspace drop \
             {workspace}`, or another --data folder, and each file loaded once makes the figures right"
        ),
        OrderKey::Source => {
            format!(". Where each store numbers its own receipts, each needs a source of its own: {MAPPING}")
        }
        OrderKey::Brand => ". Where each store numbers its own receipts, write the store into the number".to_owned(),
    }
}

/// For orders whose purchases lie months apart.
pub(super) const ON_MONTHS: &str = ". Where numbers begin anew each month or year, write the month into the number in the \
                                    file (2026-09/17): no setting tells them apart";
