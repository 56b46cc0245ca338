//! DataFusion functions for customer data, for use in any DataFusion program.
//!
//! Must know nothing of the server: no storage, no identity graph, no protocol. The families of functions (bitmaps,
//! customer value, behaviour) come with their steps, one folder each; so far there is the algebra below the bitmaps.

pub mod kernel;
