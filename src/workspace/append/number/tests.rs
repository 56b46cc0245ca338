use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Message ids of the batches of a sender; which of these are refused, and whether the sender is in the end.
type Sent = (Vec<(Vec<u8>, bool)>, bool);

/// The verdicts of messages that come one behind the other (live-core.md 5), by plain search.
fn verdicts(ids: &[u8], stored: &BTreeSet<u8>) -> Vec<Verdict> {
    let of_place = |(place, id): (usize, &u8)| match ids[..place].iter().position(|before| before == id) {
        _ if stored.contains(id) => Verdict::Duplicate,
        Some(first) => Verdict::Repeat(first),
        None => Verdict::New,
    };
    ids.iter().enumerate().map(of_place).collect()
}

proptest! {
    /// Each message is stored once, of the first one that is not refused: told by a plain set of what is stored.
    #[test]
    fn a_message_of_which_the_first_one_is_refused_is_that_of_the_next_one(
        senders in prop::collection::vec(
            (prop::collection::vec((prop::collection::vec(0_u8..6, 0..4), any::<bool>()), 1..4), any::<bool>()), 0..6),
        stored in prop::collection::btree_set(0_u8..6, 0..2),
    ) {
        let senders: Vec<Sent> = senders;
        let batches = senders.iter().flat_map(|(batches, _)| batches);
        let ids: Vec<u8> = batches.flat_map(|(ids, _)| ids.clone()).collect();
        let verdicts = verdicts(&ids, &stored);
        let (mut new, mut stored) = (NewMessages::of(&verdicts), stored);
        for (batches, fails) in senders {
            let sizes: Vec<usize> = batches.iter().map(|(ids, _)| ids.len()).collect();
            let refusal = |is_refused: bool| if is_refused { Err(Error::busy("a load")) } else { Ok(()) };
            let refusals: Vec<Result<()>> = batches.iter().map(|(_, is_refused)| refusal(*is_refused)).collect();
            let places = new.take(&sizes, &refusals);
            let mut with_these = stored.clone();
            let sent = batches.iter().flat_map(|(ids, is_refused)| ids.iter().map(|id| (*id, *is_refused)));
            let is_new = |(at, (id, is_refused)): (usize, (u8, bool))| {
                (!is_refused && with_these.insert(id)).then_some(at)
            };
            prop_assert_eq!(&places, &sent.enumerate().filter_map(is_new).collect::<Vec<_>>());
            match fails {
                true => new.give_back(&places),
                false => stored = with_these,
            }
            new.start += sizes.iter().sum::<usize>();
        }
    }
}
