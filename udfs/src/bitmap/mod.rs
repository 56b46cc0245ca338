//! Sets of persons as bitmaps: `bitmap_*`, their aliases and aggregates (SQL.md 3), over portable 32-bit Roaring bytes.
//!
//! Must not know: the server, stored sets, persons. The algebra is `kernel`'s; the files here read arguments, call it
//! and build Arrow results.

mod aggregate;
mod arrays;
mod columns;
mod declared;
mod draws;
mod evaluation;
mod field;
mod limit;
mod operand;
mod texts;
mod unnest;
mod vocabulary;

use std::sync::Arc;

use datafusion::catalog::TableFunctionImpl;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub use field::{EXTENSION_NAME, bitmap_field};
pub use unnest::{BoundValue, UnnestBitmap, members_of};

/// Algebra, counts, questions, order, pieces and edits of the sets of a row, and what nested calls of these become.
pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let mut functions: Vec<ScalarUDF> =
        vocabulary::all().map(|function| evaluation::Single::new(function).into()).collect();
    functions.push(evaluation::Fused::new().into());
    functions.into_iter().map(Arc::new).collect()
}

/// Sets from and to lists, texts and bytes; samples and splits.
pub(crate) fn conversion_functions() -> Vec<Arc<ScalarUDF>> {
    let declarations = [
        &arrays::TO_ARRAY,
        &arrays::FROM_ARRAY,
        &arrays::TO_BITMAP,
        &arrays::EMPTY_SET,
        &texts::TO_STRING,
        &texts::FROM_STRING,
        &texts::TO_BASE64,
        &texts::FROM_BASE64,
        &texts::FROM_BINARY,
        &draws::SAMPLE,
        &draws::SPLIT,
    ];
    let functions = declarations.into_iter().map(|declaration| declared::Declared::new(declaration).into());
    functions.map(Arc::new).collect()
}

/// Sets of numbers, and sets combined over rows.
pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    aggregate::all()
}

/// Name and function of each table function. A registry of functions has no place for them: give each to
/// `SessionContext::register_udtf`.
pub fn table_functions() -> Vec<(&'static str, Arc<dyn TableFunctionImpl>)> {
    vec![(unnest::NAME, Arc::new(UnnestBitmap::default()))]
}
