//! `person_at(node)`: the person of a node in the pinned epoch. Every `person` column is this function.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::ids::Node;
use crate::workspace::Snapshot;

pub(in crate::query) const PERSON_AT: &str = "person_at";

/// Stable, not volatile: predicates on it must reach the Parquet row filter.
#[derive(Debug)]
pub(super) struct PersonAt {
    signature: Signature,
    snapshot: Arc<Snapshot>,
}

impl PersonAt {
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { signature: Signature::exact(vec![DataType::Int64], Volatility::Stable), snapshot }
    }

    fn person(&self, node: i64) -> Option<i64> {
        let node = Node::try_from(node).ok()?;
        self.snapshot.identity.person_of(node).map(i64::from)
    }
}

/// Two instances are one function when they read the same snapshot, never by its content.
impl PartialEq for PersonAt {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.snapshot, &other.snapshot)
    }
}

impl Eq for PersonAt {}

impl Hash for PersonAt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.snapshot.id().hash(state);
    }
}

impl ScalarUDFImpl for PersonAt {
    fn name(&self) -> &str {
        PERSON_AT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        match &args.args[0] {
            ColumnarValue::Scalar(ScalarValue::Int64(node)) => {
                Ok(ColumnarValue::Scalar(ScalarValue::Int64(node.and_then(|node| self.person(node)))))
            }
            value => {
                let nodes = value.to_array(args.number_rows)?;
                let persons: Int64Array = nodes.as_primitive::<Int64Type>().unary_opt(|node| self.person(node));
                Ok(ColumnarValue::Array(Arc::new(persons)))
            }
        }
    }
}
