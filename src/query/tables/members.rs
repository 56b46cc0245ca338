//! `unnest_bitmap(b)`: the members of a set as rows. The function is that of `convoke-udfs`; here it gets parameters and
//! subqueries like all table functions.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::{Result as DfResult, ScalarValue};

use crate::query::table_functions::ConstantTable;

pub(in crate::query) struct UnnestBitmap;

impl ConstantTable for UnnestBitmap {
    fn name(&self) -> &'static str {
        "unnest_bitmap"
    }

    fn description(&self) -> &'static str {
        "The members of a bitmap as rows of person, ascending."
    }

    fn signature(&self) -> &'static str {
        "unnest_bitmap(b BITMAP)"
    }

    fn arity(&self) -> usize {
        1
    }

    fn table(&self, arguments: &[ScalarValue]) -> DfResult<Arc<dyn TableProvider>> {
        convoke_udfs::members_of(arguments.first().cloned().unwrap_or(ScalarValue::Null))
    }
}
