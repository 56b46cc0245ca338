//! What can be a node of `connected_components`: how a column of it is read and written.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringBuilder};
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::{Result, resources_err};

use super::forest::Forest;

/// The aggregate that errors name.
pub(super) const NAME: &str = "connected_components";

/// Elements of one list, and bytes of the texts of one column.
const MOST: usize = i32::MAX as usize;

/// A node; nodes are ordered as their values are, texts by their bytes.
pub(super) trait Node: Ord + Hash + Debug + Send + Sync + Sized + 'static {
    const TYPE: DataType;

    /// Bytes that the node points to.
    fn heap_size(&self) -> usize;

    /// Takes in the pairs of two columns. One that is NULL leaves the other a node without a link.
    ///
    /// # Errors
    /// When the nodes are more than a list can have.
    fn add_pairs(forest: &mut Forest<Self>, left: &ArrayRef, right: &ArrayRef, held: &mut usize) -> Result<()>;

    /// A column of nodes.
    ///
    /// # Errors
    /// When they are larger than a column can be.
    fn column<'a>(nodes: impl Iterator<Item = &'a Self>) -> Result<ArrayRef>;
}

impl Node for i64 {
    const TYPE: DataType = DataType::Int64;

    fn heap_size(&self) -> usize {
        0
    }

    fn add_pairs(forest: &mut Forest<Self>, left: &ArrayRef, right: &ArrayRef, held: &mut usize) -> Result<()> {
        add_numbers::<Int64Type>(forest, left, right, held)
    }

    fn column<'a>(nodes: impl Iterator<Item = &'a Self>) -> Result<ArrayRef> {
        Ok(Arc::new(PrimitiveArray::<Int64Type>::from_iter_values(nodes.copied())))
    }
}

impl Node for u64 {
    const TYPE: DataType = DataType::UInt64;

    fn heap_size(&self) -> usize {
        0
    }

    fn add_pairs(forest: &mut Forest<Self>, left: &ArrayRef, right: &ArrayRef, held: &mut usize) -> Result<()> {
        add_numbers::<UInt64Type>(forest, left, right, held)
    }

    fn column<'a>(nodes: impl Iterator<Item = &'a Self>) -> Result<ArrayRef> {
        Ok(Arc::new(PrimitiveArray::<UInt64Type>::from_iter_values(nodes.copied())))
    }
}

impl Node for String {
    const TYPE: DataType = DataType::Utf8;

    fn heap_size(&self) -> usize {
        self.capacity()
    }

    fn add_pairs(forest: &mut Forest<Self>, left: &ArrayRef, right: &ArrayRef, held: &mut usize) -> Result<()> {
        let pairs = left.as_string::<i32>().iter().zip(right.as_string::<i32>().iter());
        pairs.into_iter().try_for_each(|(left, right)| add_pair(forest, left, right, held))
    }

    fn column<'a>(nodes: impl Iterator<Item = &'a Self>) -> Result<ArrayRef> {
        let mut texts = StringBuilder::new();
        let mut bytes = 0;
        for text in nodes {
            bytes += text.len();
            if bytes > MOST {
                return resources_err!("{NAME}: the texts of a group take more than {MOST} bytes");
            }
            texts.append_value(text);
        }
        Ok(Arc::new(texts.finish()))
    }
}

fn add_numbers<T: ArrowPrimitiveType>(
    forest: &mut Forest<T::Native>,
    left: &ArrayRef,
    right: &ArrayRef,
    held: &mut usize,
) -> Result<()>
where
    T::Native: Node,
{
    let pairs = left.as_primitive::<T>().iter().zip(right.as_primitive::<T>().iter());
    pairs.into_iter().try_for_each(|(left, right)| add_pair(forest, left.as_ref(), right.as_ref(), held))
}

fn add_pair<N, Q>(forest: &mut Forest<N>, left: Option<&Q>, right: Option<&Q>, held: &mut usize) -> Result<()>
where
    N: Node + Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = N> + ?Sized,
{
    match (left, right) {
        (Some(left), Some(right)) => {
            let (left, right) = (place(forest, left, held)?, place(forest, right, held)?);
            forest.join(left, right);
        }
        (Some(only), None) | (None, Some(only)) => {
            place(forest, only, held)?;
        }
        (None, None) => {}
    }
    Ok(())
}

/// The place of a node, which is taken in where it is new; `held` counts the bytes that nodes point to.
fn place<N, Q>(forest: &mut Forest<N>, node: &Q, held: &mut usize) -> Result<u32>
where
    N: Node + Borrow<Q>,
    Q: Hash + Eq + ToOwned<Owned = N> + ?Sized,
{
    if let Some(place) = forest.find(node) {
        return Ok(place);
    }
    let node = node.to_owned();
    let bytes = node.heap_size();
    let room = forest.nodes().len() < MOST;
    match room.then(|| forest.insert(node)).flatten() {
        Some(place) => {
            *held += bytes;
            Ok(place)
        }
        None => resources_err!("{NAME}: a group has more than {MOST} nodes"),
    }
}
