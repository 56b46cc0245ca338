use proptest::prelude::*;

use crate::identity::resolution::limits::{Value, broken_by};
use crate::identity::{Limit, Period};

fn values(times: &[i64], from: u32) -> Vec<Value> {
    (from..).zip(times).map(|(node, time)| Value { time: *time, key: u128::from(node), node }).collect()
}

proptest! {
    /// Against every stretch that begins with a value.
    #[test]
    fn a_limit_is_broken_where_a_stretch_has_too_many_of_both(
        a in prop::collection::vec(0_i64..40, 0..6),
        b in prop::collection::vec(0_i64..40, 0..6),
        count in 1_u32..4,
    ) {
        let day = 86_400_000_000;
        let of = |times: &[i64]| times.iter().map(|time| time * day).collect::<Vec<_>>();
        for (per, days) in [(Period::Ever, 1_000), (Period::Month, 30), (Period::Week, 7), (Period::Day, 1)] {
            let expected = a.iter().chain(&b).any(|start| {
                let inside = |times: &[i64]| times.iter().filter(|time| (*start..start + days).contains(*time)).count();
                inside(&a) > 0 && inside(&b) > 0 && inside(&a) + inside(&b) > count as usize
            }) || (per == Period::Ever && !a.is_empty() && !b.is_empty() && a.len() + b.len() > count as usize);
            let found = broken_by(Limit { count, per }, &values(&of(&a), 0), &values(&of(&b), 100));
            prop_assert_eq!(found.is_some(), expected);
            if let Some((in_a, in_b)) = found {
                prop_assert!(in_a < 100 && in_b >= 100);
            }
        }
    }
}

#[test]
fn a_person_keeps_what_it_has_too_many_of() {
    let limit = Limit { count: 1, per: Period::Ever };
    assert_eq!(broken_by(limit, &values(&[1, 2, 3], 0), &[]), None);
    assert_eq!(broken_by(limit, &values(&[1, 3], 0), &values(&[2], 100)), Some((0, 100)));
}
