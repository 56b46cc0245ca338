//! How many members sets share: one set against many, and all pairs of many. Must not know: expressions.

use super::container::Container;
use super::pair::count_and;
use super::scratch::Scratch;
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

/// Values or runs from which a container that several others are compared with becomes a bitset first.
const WORTH_A_BITSET: usize = 96;
/// Fewer containers than this at a key are compared as they are.
const SEVERAL: usize = 4;

fn is_worth(container: Container<'_>) -> bool {
    match container {
        Container::Array(values) => values.len() >= WORTH_A_BITSET,
        Container::Runs(runs) => runs.len() >= WORTH_A_BITSET,
        Container::Bitset(_) => false,
    }
}

/// The members that each pair shares: `result[i * sets.len() + j]` of sets i and j; the diagonal has the sets' own counts.
pub fn overlap_matrix(sets: &[BitmapRef<'_>]) -> Vec<u64> {
    let n = sets.len();
    let mut counts = vec![0; n * n];
    let mut places = vec![0; n];
    let mut here: Vec<(usize, Container<'_>)> = Vec::new();
    let mut pool: Vec<Scratch> = Vec::new();
    loop {
        let keys = sets.iter().zip(&places).filter(|(view, place)| **place < view.containers());
        let Some(key) = keys.map(|(view, place)| view.key(*place)).min() else { break };
        here.clear();
        for (set, (view, place)) in sets.iter().zip(&mut places).enumerate() {
            if *place < view.containers() && view.key(*place) == key {
                here.push((set, view.container(*place)));
                *place += 1;
            }
        }
        count_pairs(&here, n, &mut pool, &mut counts);
    }
    for i in 0..n {
        counts[i * n + i] = sets[i].count();
        (0..i).for_each(|j| counts[i * n + j] = counts[j * n + i]);
    }
    counts
}

/// Adds what each pair of containers of one key shares.
fn count_pairs(here: &[(usize, Container<'_>)], n: usize, pool: &mut Vec<Scratch>, counts: &mut [u64]) {
    let worth = |container: &Container<'_>| here.len() >= SEVERAL && is_worth(*container);
    let needed = here.iter().filter(|(_, container)| worth(container)).count();
    if pool.len() < needed {
        pool.resize_with(needed, Scratch::new);
    }
    let mut free = pool.iter_mut();
    let containers: Vec<(usize, Container<'_>)> = here
        .iter()
        .map(|(set, container)| match worth(container).then(|| free.next()).flatten() {
            Some(scratch) => {
                scratch.set(*container);
                (*set, Container::Bitset(scratch.make_bitset()))
            }
            None => (*set, *container),
        })
        .collect();
    for (at, (i, left)) in containers.iter().enumerate() {
        for (j, right) in &containers[at + 1..] {
            counts[i * n + j] += u64::from(count_and(*left, *right));
        }
    }
}
