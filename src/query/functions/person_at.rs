//! Persons at the state that a statement reads: `person_at(node)`, which every `person` column is, and
//! `person_of_identifier(id_type, id_value)`.
//!
//! Stable, not volatile: predicates on them must reach the Parquet row filter.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::cast::as_string_array;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::identity::Usable;
use crate::ids::Node;
use crate::query::pinned_state::pinned;
use crate::workspace::Snapshot;

pub(in crate::query) const PERSON_AT: &str = "person_at";
pub(in crate::query) const PERSON_OF_IDENTIFIER: &str = "person_of_identifier";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PersonAt {
    signature: Signature,
}

impl PersonAt {
    pub(super) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Int64], Volatility::Stable) }
    }
}

fn person_at(state: &Snapshot, node: i64) -> Option<i64> {
    let node = Node::try_from(node).ok()?;
    state.identity.person_of(node).map(i64::from)
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
        // The planner asks what the call is of NULL, in a session that reads no state.
        if let ColumnarValue::Scalar(node) = &args.args[0]
            && node.is_null()
        {
            return Ok(ColumnarValue::Scalar(ScalarValue::Int64(None)));
        }
        let state = pinned(&args.config_options)?;
        match &args.args[0] {
            ColumnarValue::Scalar(ScalarValue::Int64(node)) => {
                Ok(ColumnarValue::Scalar(ScalarValue::Int64(node.and_then(|node| person_at(state, node)))))
            }
            value => {
                let nodes = value.to_array(args.number_rows)?;
                let persons: Int64Array = nodes.as_primitive::<Int64Type>().unary_opt(|node| person_at(state, node));
                Ok(ColumnarValue::Array(Arc::new(persons)))
            }
        }
    }
}

/// The person behind an identifier; NULL where nobody has it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PersonOfIdentifier {
    signature: Signature,
}

impl PersonOfIdentifier {
    pub(super) fn new() -> Self {
        Self { signature: Signature::exact(vec![DataType::Utf8, DataType::Utf8], Volatility::Stable) }
    }
}

fn person_of_identifier(state: &Snapshot, kind: &str, value: &str) -> crate::error::Result<Option<i64>> {
    let kind = state.rules.types().id(kind)?;
    // What is blocked by now may have been an identifier before.
    let node = match state.rules.rulebook.usable(kind, value) {
        Usable::As(spelled) => state.identity.node(kind, &spelled),
        Usable::Blocked(_) => state.identity.node(kind, value),
    };
    Ok(node.and_then(|node| state.identity.person_of(node)).map(i64::from))
}

impl ScalarUDFImpl for PersonOfIdentifier {
    fn name(&self) -> &str {
        PERSON_OF_IDENTIFIER
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> DfResult<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        if args.args.iter().any(|argument| matches!(argument, ColumnarValue::Scalar(value) if value.is_null())) {
            return Ok(ColumnarValue::Scalar(ScalarValue::Int64(None)));
        }
        let state = pinned(&args.config_options)?;
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let (kinds, values): (&StringArray, _) = (as_string_array(&arrays[0])?, as_string_array(&arrays[1])?);
        let persons = kinds.iter().zip(values).map(|pair| match pair {
            (Some(kind), Some(value)) => Ok(person_of_identifier(state, kind, value)?),
            // NULL identifies nobody.
            _ => Ok(None),
        });
        Ok(ColumnarValue::Array(Arc::new(persons.collect::<DfResult<Int64Array>>()?)))
    }
}
