//! `connected_components(a, b)`: which nodes hang together by links.
//!
//! State of a group: each node once, 16 to 20 bytes a number and more for a text, whatever the number of links. What goes
//! from part to part of a plan is the result itself: nodes with their component are links again.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, DocSection, Documentation, Signature, Volatility};

use super::declared::is_text;
use super::forest::Forest;
use super::node::{NAME, Node};

const SIGNATURE: &str = "connected_components(a, b)";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ConnectedComponents {
    signature: Signature,
}

impl ConnectedComponents {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The type that nodes of two types are cast to.
fn node_type(left: &DataType, right: &DataType) -> Option<DataType> {
    let is_unsigned = |given: &DataType| given.is_unsigned_integer() || given.is_null();
    let is_integer = |given: &DataType| given.is_integer() || given.is_null();
    if is_integer(left) && is_integer(right) {
        // Numbers below 2^63 are the same in both, and the common ones are signed.
        let is_large =
            (*left == DataType::UInt64 || *right == DataType::UInt64) && is_unsigned(left) && is_unsigned(right);
        return Some(if is_large { DataType::UInt64 } else { DataType::Int64 });
    }
    (is_text(left) && is_text(right)).then_some(DataType::Utf8)
}

fn element_fields(node: &DataType) -> Fields {
    Fields::from(vec![Field::new("node", node.clone(), false), Field::new("component", node.clone(), false)])
}

fn element(node: &DataType) -> Field {
    Field::new_list_field(DataType::Struct(element_fields(node)), false)
}

impl AggregateUDFImpl for ConnectedComponents {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = given else {
            return plan_err!("{SIGNATURE}: {} arguments were given", given.len());
        };
        match node_type(left, right) {
            Some(node) => Ok(vec![node.clone(), node]),
            None => plan_err!(
                "{SIGNATURE}: a and b are {left} and {right}: both must be integers or both texts; write CAST(a AS VARCHAR) \
                 where they differ"
            ),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [node, _] => Ok(DataType::List(Arc::new(element(node)))),
            _ => plan_err!("{SIGNATURE}: {} arguments were given", given.len()),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match args.expr_fields.first().map(|field| field.data_type()) {
            Some(DataType::Int64) => Ok(Box::new(Components::<i64>::default())),
            Some(DataType::UInt64) => Ok(Box::new(Components::<u64>::default())),
            Some(DataType::Utf8) => Ok(Box::new(Components::<String>::default())),
            other => exec_err!("{NAME}: nodes of type {other:?} were not cast"),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, "components");
        Ok(vec![Arc::new(Field::new(name, args.return_field.data_type().clone(), true))])
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "Which nodes hang together, directly or by way of others: a list of struct(node, component) in ascending \
                 order, each node once; component is the smallest node that it hangs together with, itself where it is \
                 that one. Each row is a link between a and b, in both directions. A row with one NULL makes the other a \
                 node without adding a link, a row with two is skipped; NULL without any node. Texts are ordered by their \
                 UTF-8 bytes.",
                SIGNATURE,
            )
            .with_argument("a", "a node: an integer or a text")
            .with_argument("b", "a node that it hangs together with, of the same type")
            .with_sql_example(
                "SELECT unnest(connected_components(a, b)) FROM (VALUES ('ann', 'phone 1'), ('phone 1', 'bob'), ('eve', NULL)) \
                 AS t(a, b)",
            )
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

/// The components of one group.
#[derive(Debug)]
pub(super) struct Components<N> {
    forest: Forest<N>,
    /// Bytes that nodes point to.
    held: usize,
}

impl<N> Default for Components<N> {
    fn default() -> Self {
        Self { forest: Forest::default(), held: 0 }
    }
}

impl<N: Node> Components<N> {
    fn add(&mut self, left: &ArrayRef, right: &ArrayRef) -> Result<()> {
        N::add_pairs(&mut self.forest, left, right, &mut self.held)
    }

    /// All nodes with their components. The state stays: a window asks again after more rows.
    fn list(&mut self) -> Result<ScalarValue> {
        let element = element(&N::TYPE);
        if self.forest.nodes().is_empty() {
            return ScalarValue::try_from(DataType::List(Arc::new(element)));
        }
        let components = self.forest.components();
        let nodes = self.forest.nodes();
        let columns = vec![
            N::column(components.iter().map(|(node, _)| &nodes[*node as usize]))?,
            N::column(components.iter().map(|(_, component)| &nodes[*component as usize]))?,
        ];
        let elements = StructArray::try_new(element_fields(&N::TYPE), columns, None)?;
        Ok(SingleRowListArrayBuilder::new(Arc::new(elements)).with_field(&element).build_list_scalar())
    }
}

impl<N: Node> Accumulator for Components<N> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values {
            [left, right] => self.add(left, right),
            _ => exec_err!("{NAME}: {} columns were given", values.len()),
        }
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.list()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.forest.heap_size() + self.held
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.list()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(lists) = states.first().and_then(|states| states.as_list_opt::<i32>()) else {
            return exec_err!("{NAME}: a state is damaged");
        };
        for list in lists.iter().flatten() {
            let elements = list.as_struct();
            self.add(elements.column(0), elements.column(1))?;
        }
        Ok(())
    }
}
