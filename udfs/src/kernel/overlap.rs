//! How many members sets share: one set against many, and all pairs of many. Must not know: expressions.

use super::container::Container;
use super::pair::count_and;
use super::view::BitmapRef;

/// Adds to `sums` what each group shares with `container` at `key`; `places` are the groups' first containers that can
/// still be asked for.
pub(crate) fn add_row(
    container: Container<'_>,
    groups: &[BitmapRef<'_>],
    key: u32,
    places: &mut [usize],
    sums: &mut [u64],
) {
    for ((view, place), sum) in groups.iter().zip(places).zip(sums) {
        *place = view.seek(*place, key);
        if *place < view.containers() && view.key(*place) == key {
            let count =
                if container.is_full() { view.card(*place) } else { count_and(container, view.container(*place)) };
            *sum += u64::from(count);
        }
    }
}

/// The members that each pair shares: `result[i * sets.len() + j]` of sets i and j; the diagonal has the sets' own counts.
pub fn overlap_matrix(sets: &[BitmapRef<'_>]) -> Vec<u64> {
    let n = sets.len();
    let mut counts = vec![0; n * n];
    let mut places = vec![0; n];
    let mut here: Vec<(usize, Container<'_>)> = Vec::new();
    for key in 0..1 << 16 {
        here.clear();
        for (set, (view, place)) in sets.iter().zip(&mut places).enumerate() {
            *place = view.seek(*place, key);
            if *place < view.containers() && view.key(*place) == key {
                here.push((set, view.container(*place)));
            }
        }
        for (at, (i, left)) in here.iter().enumerate() {
            for (j, right) in &here[at + 1..] {
                counts[i * n + j] += u64::from(count_and(*left, *right));
            }
        }
    }
    for i in 0..n {
        counts[i * n + i] = sets[i].count();
        (0..i).for_each(|j| counts[i * n + j] = counts[j * n + i]);
    }
    counts
}
