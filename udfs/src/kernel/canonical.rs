//! Bringing a set up to date with merged persons. Must not know: the identity graph.

use super::error::Result;
use super::expression::Expr;
use super::view::BitmapRef;
use super::writer::from_ids;

/// `(set - losers) | map(set & losers)`: every merged person in the set is replaced by the one it was merged into.
/// None when the set has no merged person, so that its bytes stay as they are. `survivor` is asked only for members of
/// both sets, in ascending order.
pub fn canonicalise(
    set: BitmapRef<'_>,
    losers: BitmapRef<'_>,
    survivor: impl FnMut(u32) -> u32,
) -> Result<Option<Vec<u8>>> {
    let merged = Expr::and([set, losers]).plan()?;
    let survivors: Vec<u32> = merged.ids().map(survivor).collect();
    if survivors.is_empty() {
        return Ok(None);
    }
    let added = from_ids(survivors);
    let kept = Expr::andnot([set, losers]);
    Ok(Some(Expr::Or(vec![kept, Expr::Set(BitmapRef::new(&added)?)]).plan()?.to_bytes()))
}
