//! Roaring algebra over serialized bytes: whole set expressions are evaluated container at a time, straight from portable
//! 32-bit Roaring bytes, without deserializing and without intermediate sets.
//!
//! Must not know: arrow, datafusion, tokio, SQL. A caller checks bytes once ([`BitmapRef::new`]), says what it wants
//! ([`Expr`]), plans it ([`Expr::plan`]) and asks ([`Plan::count`] and its siblings):
//!
//! ```
//! use convoke_udfs::kernel::{BitmapRef, Expr, from_ids};
//!
//! let (a, b, c) = (from_ids(vec![1, 2, 3]), from_ids(vec![2, 3, 4]), from_ids(vec![3]));
//! let (a, b, c) = (BitmapRef::new(&a)?, BitmapRef::new(&b)?, BitmapRef::new(&c)?);
//! let plan = Expr::AndNot(vec![Expr::and([a, b]), c.into()]).plan()?;
//! assert_eq!(plan.count(), 1);
//! assert_eq!(plan.to_bytes(), from_ids(vec![2]));
//! # Ok::<(), convoke_udfs::kernel::Error>(())
//! ```
//!
//! Layers, each uses only earlier ones: error < container, loops, shuffles < simd < pair < scratch < view, check < writer, expression, combine <
//! evaluate, flat < parallel, ids, overlap, split < results < builder, canonical, map64, numeric.
//!
//! Promises: the structure of bytes is checked before anything is allocated; contents that lie about themselves can give
//! a wrong answer, never a panic, unsafety, a hang, or memory beyond a small multiple of the input; results are the same
//! for any number of workers, and equal sets give equal bytes.

mod builder;
mod canonical;
mod check;
mod combine;
mod container;
mod error;
mod evaluate;
mod expression;
mod flat;
mod ids;
mod loops;
mod map64;
mod numeric;
mod overlap;
mod pair;
mod parallel;
mod results;
mod scratch;
mod shuffles;
mod simd;
mod split;
mod view;
mod writer;

pub use builder::Builder;
pub use canonical::canonicalise;
pub use error::{Error, Result};
pub use expression::{Expr, MAX_DEPTH, Operator, Plan};
pub use flat::count;
pub use ids::Ids;
pub use map64::{Map64, map64_from_ids, write_map64};
pub use numeric::{NumericRef, numeric_from_pairs};
pub use overlap::overlap_matrix;
pub use results::{equals, has_all, has_any, jaccard};
pub use split::{Split, person_hash, seed_of};
pub use view::{BitmapRef, EMPTY};
pub use writer::{Encoding, from_ids, from_sorted, join_shards};
