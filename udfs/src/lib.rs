//! DataFusion functions for customer data, for use in any DataFusion program.
//!
//! Must know nothing of the server: no storage, no identity graph, no protocol. Each family of functions is one folder,
//! over `kernel`, the algebra of bitmaps, and `normalize`, identifiers in one form.

mod bitmap;
mod clv;
mod identity;
pub mod kernel;
mod lifecycle;
mod local_time;
pub mod normalize;
mod register;

pub use bitmap::{BoundValue, EXTENSION_NAME, UnnestBitmap, bitmap_field, members_of, table_functions};
pub use register::{register_all, register_all_in_zone};
