//! Table functions of constants: their arguments are literals, parameters, scalar subqueries, and calls of these.
//!
//! A call without subqueries is a table as soon as it is planned. One with subqueries is a [`DeferredTable`]: it has its
//! columns, and the engine puts the table in its place once it has the values of the subqueries. Must not know what a
//! function is for.

mod arguments;
mod deferred;
mod routines;

use std::fmt;
use std::sync::Arc;

use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result as DfResult, ScalarValue};

pub(super) use self::arguments::constant;
pub(super) use self::deferred::{DeferredTable, deferred_in, put_in, subqueries_of};
pub(super) use self::routines::{FROM_DATAFUSION, FunctionEntry, is_of_json, routines_for_users};
use crate::error::Error;

/// A table made of constants.
pub(super) trait ConstantTable: Send + Sync {
    fn name(&self) -> &'static str;

    /// What a list of functions says of it.
    fn description(&self) -> &'static str;

    /// As messages show it: `f(a TEXT)`.
    fn signature(&self) -> &'static str;

    /// How many arguments there are.
    fn arity(&self) -> usize;

    /// The table for these values, any of which may be NULL. Its columns are the same for all values.
    fn table(&self, arguments: &[ScalarValue]) -> DfResult<Arc<dyn TableProvider>>;
}

/// A call that is refused.
pub(super) fn refused(function: &dyn ConstantTable, why: &str) -> Error {
    Error::invalid(format!(
        "{}: {why}; arguments are literals, parameters, scalar subqueries or calls of them, not columns",
        function.signature()
    ))
}

/// The function as DataFusion calls it.
pub(super) struct TableFunctionOfConstants {
    function: Arc<dyn ConstantTable>,
}

impl TableFunctionOfConstants {
    pub(super) fn new(function: Arc<dyn ConstantTable>) -> Self {
        Self { function }
    }
}

impl fmt::Debug for TableFunctionOfConstants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.signature())
    }
}

impl TableFunctionImpl for TableFunctionOfConstants {
    fn call_with_args(&self, args: TableFunctionArgs) -> DfResult<Arc<dyn TableProvider>> {
        let function = self.function.as_ref();
        let arity = function.arity();
        if args.exprs().len() != arity {
            let needed =
                if arity == 1 { "one argument is needed".to_owned() } else { format!("{arity} arguments are needed") };
            return Err(refused(function, &needed).into());
        }
        let bound = arguments::bound(function, &args)?;
        if bound.iter().any(arguments::has_subquery) {
            return Ok(Arc::new(DeferredTable::new(Arc::clone(&self.function), bound)?));
        }
        // A parameter without a value yet only needs the columns.
        let values = bound.into_iter().map(|argument| match arguments::has_parameter(&argument) {
            true => Ok(ScalarValue::Null),
            false => constant(args.session(), argument),
        });
        function.table(&values.collect::<DfResult<Vec<_>>>()?)
    }
}
