use proptest::prelude::*;

use super::chunk::MOST_CHANGES;
use super::*;

/// What is done to an array: an entry is added, one is changed, or a copy is taken.
#[derive(Debug, Clone)]
enum Step {
    Push(Vec<u32>),
    Change(prop::sample::Index, u32),
    /// Some within a stretch, more than stand beside the entries.
    Changes(prop::sample::Index, Vec<(u8, u32)>),
    Copy,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        // Often more than a chunk at once.
        prop::collection::vec(any::<u32>(), 0..3 * CHUNK / 2).prop_map(Step::Push),
        (any::<prop::sample::Index>(), any::<u32>()).prop_map(|(place, entry)| Step::Change(place, entry)),
        (any::<prop::sample::Index>(), prop::collection::vec(any::<(u8, u32)>(), 0..3 * MOST_CHANGES))
            .prop_map(|(place, entries)| Step::Changes(place, entries)),
        Just(Step::Copy),
    ];
    prop::collection::vec(step, 0..24)
}

fn assert_same(array: &Chunked<u32>, expected: &[u32]) {
    assert_eq!(array.len(), expected.len());
    assert!(array.range(0..array.len()).eq(expected.iter().copied()));
    assert!(array.iter().rev().eq(expected.iter().rev()));
    for (index, entry) in expected.iter().enumerate() {
        assert_eq!(array.get(index), Some(*entry));
    }
    assert_eq!(array.get(expected.len()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Beside plain `Vec`s: every copy stays what it was when it was taken, whatever is done to the array later.
    #[test]
    fn a_copy_never_changes(steps in steps(), range in any::<(prop::sample::Index, prop::sample::Index)>()) {
        let (mut array, mut expected) = (Chunked::default(), Vec::new());
        let mut copies = Vec::new();
        for step in steps {
            match step {
                Step::Push(entries) => {
                    entries.iter().for_each(|entry| array.push(*entry));
                    expected.extend(entries);
                }
                Step::Change(place, entry) if !expected.is_empty() => {
                    let index = place.index(expected.len());
                    *array.get_mut(index).unwrap() = entry;
                    expected[index] = entry;
                }
                Step::Change(..) => prop_assert!(array.get_mut(0).is_none()),
                Step::Changes(place, entries) => {
                    let first = if expected.is_empty() { 0 } else { place.index(expected.len()) };
                    for (offset, entry) in entries {
                        let index = first + usize::from(offset);
                        match (array.get_mut(index), expected.get_mut(index)) {
                            (Some(place), Some(expected)) => (*place, *expected) = (entry, entry),
                            (place, expected) => prop_assert!(place.is_none() && expected.is_none()),
                        }
                    }
                }
                Step::Copy => copies.push((array.clone(), expected.clone())),
            }
        }
        copies.push((array, expected.clone()));
        for (copy, expected) in &copies {
            assert_same(copy, expected);
        }
        let (a, b) = (range.0.index(expected.len() + 1), range.1.index(expected.len() + 1));
        let range = a.min(b)..a.max(b);
        let (last, _) = copies.last().unwrap();
        prop_assert!(last.range(range.clone()).eq(expected[range].iter().copied()));
    }
}

#[test]
fn a_range_beyond_the_end_gives_what_is_there() {
    let mut array = Chunked::default();
    (0..10_u32).for_each(|entry| array.push(entry));
    assert!(array.range(8..20).eq([8, 9]));
    assert_eq!(array.range(10..20).count(), 0);
    assert_eq!(array.range(15..20).count(), 0);
    assert_eq!(array.range(2 * CHUNK..3 * CHUNK).count(), 0);
}

#[test]
fn a_change_of_what_is_shared_costs_little_until_many_have_come() {
    const BYTES: usize = CHUNK * size_of::<u32>();
    const CHANGE: usize = size_of::<(u16, u32)>();
    let mut array = Chunked::default();
    (0..(PAGE * CHUNK + CHUNK) as u32).for_each(|entry| array.push(entry));
    let copy = array.clone();
    assert_eq!((array.bytes_beside(&copy), array.bytes_beside(&Chunked::default())), (0, (PAGE + 1) * BYTES));
    *array.get_mut(CHUNK + 1).unwrap() = 7;
    *array.get_mut(CHUNK + 9).unwrap() = 7;
    *array.get_mut(CHUNK + 9).unwrap() = 8;
    assert_eq!((array.bytes_beside(&copy), copy.bytes_beside(&array)), (2 * CHANGE, 0));
    let later = array.clone();
    *array.get_mut(CHUNK + 2).unwrap() = 7;
    assert_eq!((array.bytes_beside(&later), later.bytes_beside(&array)), (3 * CHANGE, 2 * CHANGE));
    (0..MOST_CHANGES).for_each(|place| *array.get_mut(CHUNK + 20 + place).unwrap() = 7);
    assert_eq!((array.bytes_beside(&copy), copy.bytes_beside(&array)), (BYTES, BYTES));
    array.push(7);
    assert_eq!(array.bytes_beside(&copy), BYTES + size_of::<u32>());
}

/// Arrays are the same when their entries are, whichever of them have changed.
#[test]
fn arrays_compare_by_their_entries() {
    let array: Chunked<u32> = (0..10).fold(Chunked::default(), |mut array, entry| {
        array.push(entry);
        array
    });
    let mut other = array.clone();
    *other.get_mut(3).unwrap() = 30;
    assert_ne!(array, other);
    *other.get_mut(3).unwrap() = 3;
    assert_eq!(array, other);
}
