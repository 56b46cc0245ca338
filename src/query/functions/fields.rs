//! `z.i` where z is a column without fields.
//!
//! DataFusion 55.2 looks for a column named z in the subquery before it looks for a table named z in the statement around
//! it: in `FROM m z WHERE EXISTS (SELECT 1 FROM m q WHERE q.i = z.i)`, with a column z in m, it reads a field of a time
//! and refuses it by its type. PostgreSQL and DuckDB take the table. The planner of names is not told the tables around,
//! so that it can only say what to write.
//!
//! Can go when a column without fields hides no table: the case at the end of `tests/slt/correlated.slt` tells.

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, Result, TableReference};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::error::Error;

#[derive(Debug)]
pub(in crate::query) struct FieldPlanner;

impl ExprPlanner for FieldPlanner {
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        if field.data_type().is_nested() || field.data_type().is_null() {
            // The next planner is asked.
            return Ok(PlannerResult::Original(Vec::new()));
        }
        let column = Expr::Column(Column::from((qualifier, field)));
        let refusal = ScalarUDF::from(NoField::new(field.name(), &nested_names.join(".")));
        Ok(PlannerResult::Planned(refusal.call(vec![column])))
    }
}

/// Stands for the field that is not there, until its type is asked for: what a planner says against a name is not heard.
#[derive(Debug, PartialEq, Eq, Hash)]
struct NoField {
    column: String,
    field: String,
    signature: Signature,
}

impl NoField {
    fn new(column: &str, field: &str) -> Self {
        let signature = Signature::any(1, Volatility::Immutable);
        Self { column: column.to_owned(), field: field.to_owned(), signature }
    }

    fn refuse(&self) -> Error {
        let Self { column, field, .. } = self;
        Error::invalid(format!(
            "'{column}' in {column}.{field} is a column here, and has no fields: where a table of the statement around is \
             meant, which the column hides, give the table an alias that is no column, FROM t AS {column}_1, and write \
             {column}_1.{field}"
        ))
    }
}

impl ScalarUDFImpl for NoField {
    fn name(&self) -> &str {
        "no_field"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Err(self.refuse().into())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(self.refuse().into())
    }
}
