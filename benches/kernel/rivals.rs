//! The same counts by Convoke's kernel, by CRoaring and by roaring.

use convoke_udfs::kernel::{self, BitmapRef, Expr};
use croaring::{Bitmap, BitmapView, Portable};
use roaring::{MultiOps, RoaringBitmap};

#[derive(Clone, Copy, Debug)]
pub enum Operator {
    And,
    Or,
    AndNot,
}

/// As SQL counts one operator over stored sets: views are made, and counted.
pub fn ours(operator: Operator, bytes: &[&[u8]]) -> u64 {
    let operator = match operator {
        Operator::And => kernel::Operator::And,
        Operator::Or => kernel::Operator::Or,
        Operator::AndNot => kernel::Operator::AndNot,
    };
    match bytes {
        [one, other] => kernel::count(operator, &[our_view(one), our_view(other)]),
        _ => kernel::count(operator, &bytes.iter().map(|one| our_view(one)).collect::<Vec<_>>()),
    }
}

fn our_view(bytes: &[u8]) -> BitmapRef<'_> {
    BitmapRef::new(bytes).expect("written by this bench")
}

pub fn ours_with(operator: Operator, bytes: &[&[u8]], workers: usize) -> u64 {
    let views = bytes.iter().map(|one| our_view(one));
    let expression = match operator {
        Operator::And => Expr::and(views),
        Operator::Or => Expr::or(views),
        Operator::AndNot => Expr::andnot(views),
    };
    expression.plan().expect("not deep").with_workers(workers).count()
}

/// CRoaring's views of the bytes, unchecked: its fastest way in.
#[allow(unsafe_code)]
pub fn views<'a>(bytes: &[&'a [u8]]) -> Vec<BitmapView<'a>> {
    // SAFETY: the bytes were written by this bench as portable bitmaps.
    bytes.iter().map(|one| unsafe { BitmapView::deserialize::<Portable>(one) }).collect()
}

pub fn view(operator: Operator, bytes: &[&[u8]]) -> u64 {
    let views = views(bytes);
    view_fold(operator, &views.iter().map(|view| &**view).collect::<Vec<_>>())
}

/// The best that CRoaring's interface has: the last step counts without a result, a union of many is lazy.
pub fn view_fold(operator: Operator, sets: &[&Bitmap]) -> u64 {
    let (first, second, last) = (sets[0], sets[1], sets[sets.len() - 1]);
    match (operator, sets.len()) {
        (Operator::And, 2) => first.and_cardinality(second),
        (Operator::Or, 2) => first.or_cardinality(second),
        (Operator::AndNot, 2) => first.andnot_cardinality(second),
        (Operator::Or, _) => Bitmap::fast_or(sets).cardinality(),
        (Operator::And, n) => {
            let mut result = first.and(second);
            sets[2..n - 1].iter().for_each(|set| result.and_inplace(set));
            result.and_cardinality(last)
        }
        (Operator::AndNot, n) => {
            let mut result = first.andnot(second);
            sets[2..n - 1].iter().for_each(|set| result.andnot_inplace(set));
            result.andnot_cardinality(last)
        }
    }
}

pub fn copied(bytes: &[&[u8]]) -> Vec<Bitmap> {
    bytes.iter().map(|one| Bitmap::try_deserialize::<Portable>(one).expect("written by this bench")).collect()
}

pub fn deserialized(bytes: &[&[u8]]) -> Vec<RoaringBitmap> {
    bytes.iter().map(|one| RoaringBitmap::deserialize_from(*one).expect("written by this bench")).collect()
}

pub fn roaring_from_bytes(operator: Operator, bytes: &[&[u8]]) -> u64 {
    roaring_in_memory(operator, &deserialized(bytes))
}

pub fn roaring_in_memory(operator: Operator, sets: &[RoaringBitmap]) -> u64 {
    match (operator, sets.len()) {
        (Operator::And, 2) => sets[0].intersection_len(&sets[1]),
        (Operator::Or, 2) => sets[0].union_len(&sets[1]),
        (Operator::AndNot, 2) => sets[0].difference_len(&sets[1]),
        (Operator::And, _) => sets.intersection().len(),
        (Operator::Or, _) => sets.union().len(),
        (Operator::AndNot, _) => sets.difference().len(),
    }
}
