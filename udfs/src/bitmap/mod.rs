//! Sets of persons as bitmaps: `bitmap_*`, their aliases and aggregates (SQL.md 3), over portable 32-bit Roaring bytes.
//!
//! Must not know: the server, stored sets, persons. The algebra is `kernel`'s; the files here read arguments, call it
//! and build Arrow results.

mod evaluation;
mod field;
mod operand;
mod vocabulary;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub use field::{EXTENSION_NAME, bitmap_field};

/// All scalar functions of the family.
pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions: Vec<ScalarUDF> =
        vocabulary::all().map(|function| evaluation::Single::new(function).into()).collect();
    functions.push(evaluation::Fused::new().into());
    functions.into_iter().map(Arc::new).collect()
}
