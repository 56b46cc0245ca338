//! What other products document, and the rules of identity resolution as they are described to users, as fixed cases.

use super::{COOKIE, DAY, DEVICE, EMAIL, PHONE, USER, World, say, seen, written};
use crate::identity::resolution::{Action, Resolver};
use crate::identity::{Keep, Limit, Period};

fn settle(world: &World, resolver: &mut Resolver) -> String {
    resolver.settle(world.given(), usize::MAX);
    written(&resolver.resolution())
}

/// Segment's documentation of a shared device: the device stays with the user who had it first (`keep: oldest`). Adobe's of
/// its identity graph linking rules: it goes to the last authenticated user, with its anonymous events (`keep: latest`).
#[test]
fn a_shared_device_stays_with_the_first_or_goes_to_the_last_user() {
    let mut world = World::of(&[USER, USER, DEVICE, COOKIE]);
    world.rule(USER).unique = true;
    let sets: [(&[u32], i64); 3] = [(&[0, 2], 1), (&[2, 3], 2), (&[1, 2], 3)];
    assert_eq!(written(&world.resolve(&sets).resolution()), "0 2 3");
    world.rules.keep = Keep::Latest;
    assert_eq!(written(&world.resolve(&sets).resolution()), "1 2 3");
}

/// An event earlier than all others takes the device back.
#[test]
fn a_late_event_decides_as_if_it_had_come_in_time() {
    let mut world = World::of(&[USER, USER, DEVICE]);
    world.rule(USER).unique = true;
    let mut resolver = world.resolve(&[(&[0, 2], 10), (&[1, 2], 20)]);
    assert_eq!(written(&resolver.resolution()), "0 2");
    resolver.add_set(world.given(), &[1, 2], seen(5, 0)).unwrap();
    assert_eq!(settle(&world, &mut resolver), "1 2");
}

/// Segment's limits: at most so many values of a type in a period; one that would be more stays apart.
#[test]
fn a_limit_holds_for_a_period() {
    let mut world = World::of(&[USER, COOKIE, COOKIE, COOKIE]);
    world.rule(COOKIE).limit = Some(Limit { count: 2, per: Period::Week });
    let third_on = |day: i64| {
        let sets: [(&[u32], i64); 3] = [(&[0, 1], 0), (&[0, 2], 5 * DAY), (&[0, 3], day * DAY)];
        written(&world.resolve(&sets).resolution())
    };
    assert_eq!(third_on(6), "0 1 2");
    assert_eq!(third_on(7), "0 1 2 3", "seven days after the first is another week");
}

/// A person whose user changed the phone: the number goes to somebody else, whose own links are stronger.
#[test]
fn a_recycled_phone_does_not_join_two_users() {
    let mut world = World::of(&[USER, EMAIL, PHONE, USER, EMAIL]);
    world.rule(USER).unique = true;
    let sets: [(&[u32], i64); 4] = [(&[0, 1], 1), (&[0, 2], 2), (&[3, 4], 3), (&[3, 2], 4)];
    assert_eq!(written(&world.resolve(&sets).resolution()), "0 1 2 | 3 4");
    world.rules.keep = Keep::Latest;
    assert_eq!(written(&world.resolve(&sets).resolution()), "0 1 | 2 3 4");
}

/// A value linked to too many is cut; those beside it fall apart, and come together when it is linked to fewer.
#[test]
fn a_value_that_crosses_the_fanout_is_nobodys() {
    let mut world = World::of(&[USER, USER, USER, DEVICE, COOKIE]);
    world.rule(DEVICE).max_fanout = Some(2);
    let mut resolver = world.resolve(&[(&[0, 3], 1), (&[1, 3], 2), (&[3, 4], 3)]);
    assert_eq!(written(&resolver.resolution()), "0 1 3 4", "cookies do not count");
    resolver.add_set(world.given(), &[2, 3], seen(4, 0)).unwrap();
    assert_eq!(settle(&world, &mut resolver), "");
    assert!(resolver.resolution().is_shared(3));
    let somebodys: Vec<u32> = (0..5).filter(|node| resolver.resolution().is_somebodys(world.given(), *node)).collect();
    assert_eq!(somebodys, [0, 1, 2, 4], "each is somebody, but the device");
    resolver.remove_set(world.given(), &[1, 3], 0);
    assert_eq!(settle(&world, &mut resolver), "0 2 3 4");
    assert!(!resolver.resolution().is_shared(3));
}

/// Who stood beside a cut value on one event still stands together.
#[test]
fn what_is_left_of_an_event_without_its_shared_main_value_is_linked() {
    let mut world = World::of(&[EMAIL, PHONE, PHONE, PHONE, DEVICE]);
    world.rule(EMAIL).max_fanout = Some(2);
    let held = world.resolve(&[(&[0, 1, 4], 1), (&[0, 2], 2), (&[0, 3], 3)]).resolution();
    assert!(held.is_shared(0));
    assert_eq!(written(&held), "1 4");
}

/// Also those who stood apart from it before it was cut, and from each other.
#[test]
fn what_was_refused_beside_a_value_is_linked_when_that_is_cut() {
    let mut world = World::of(&[EMAIL, PHONE, PHONE, PHONE, DEVICE]);
    world.rule(EMAIL).max_fanout = Some(2);
    world.rules.max_identifiers = 2;
    let mut resolver = world.resolve(&[(&[0, 1], 1), (&[0, 2, 4], 2)]);
    assert_eq!(written(&resolver.resolution()), "0 1");
    resolver.add_set(world.given(), &[0, 3], seen(3, 0)).unwrap();
    assert_eq!(settle(&world, &mut resolver), "2 4");
}

/// RudderStack's documentation: manual rules come last and win over cardinality.
#[test]
fn what_is_included_wins_over_limits_and_cuts() {
    let mut world = World::of(&[USER, USER, USER, DEVICE]);
    world.rule(USER).unique = true;
    world.rule(DEVICE).max_fanout = Some(2);
    let mut resolver = world.resolve(&[(&[0, 3], 1), (&[1, 3], 2), (&[2, 3], 3)]);
    assert_eq!(written(&resolver.resolution()), "");
    resolver.add_override(world.given(), say(1, Action::Include, 0, 3));
    resolver.add_override(world.given(), say(2, Action::Include, 0, 1));
    assert_eq!(settle(&world, &mut resolver), "0 1 3", "the third user is still linked to a shared device");
    assert!(resolver.resolution().is_shared(3) && resolver.resolution().is_somebodys(world.given(), 3));
    // A person that an override made too large takes what breaks nothing more.
    let mut world = World::of(&[USER, USER, EMAIL, USER]);
    world.rule(USER).unique = true;
    let mut resolver = world.resolver();
    resolver.add_override(world.given(), say(1, Action::Include, 0, 1));
    resolver.add_set(world.given(), &[0, 2], seen(1, 0)).unwrap();
    resolver.add_set(world.given(), &[3, 2], seen(2, 0)).unwrap();
    assert_eq!(settle(&world, &mut resolver), "0 1 2");
}

#[test]
fn what_is_excluded_is_as_if_it_had_never_been_linked() {
    let mut world = World::of(&[EMAIL, PHONE, COOKIE, DEVICE, DEVICE]);
    let sets: [(&[u32], i64); 3] = [(&[0, 1], 1), (&[0, 2], 2), (&[1, 3], 3)];
    let mut resolver = world.resolve(&sets);
    assert_eq!(written(&resolver.resolution()), "0 1 2 3");
    resolver.add_override(world.given(), say(1, Action::Exclude, 1, 0));
    let never = written(&world.resolve(&sets[1..]).resolution());
    assert_eq!(settle(&world, &mut resolver), never);
    assert_eq!(never, "0 2 | 1 3");
    // Nor do they come together by way of another value: the link that would do it is refused.
    resolver.add_set(world.given(), &[0, 3], seen(4, 0)).unwrap();
    assert_eq!(settle(&world, &mut resolver), "0 2 | 1 3");
    assert!(resolver.undo_override(world.given(), 1).is_some());
    assert_eq!(settle(&world, &mut resolver), "0 1 2 3");
    // It takes no part in what makes a value shared.
    world.rule(EMAIL).max_fanout = Some(0);
    resolver.rebuild(world.given());
    assert_eq!(written(&resolver.resolution()), "1 3");
    resolver.add_override(world.given(), say(2, Action::Exclude, 0, 1));
    assert_eq!(settle(&world, &mut resolver), "0 2 | 1 3");
}

/// Who is said to be two is never one, whatever else is said.
#[test]
fn what_is_excluded_stands_against_what_is_included_around_it() {
    let world = World::of(&[EMAIL, PHONE, USER]);
    let mut resolver = world.resolver();
    resolver.add_override(world.given(), say(1, Action::Exclude, 0, 1));
    resolver.add_override(world.given(), say(2, Action::Include, 0, 2));
    resolver.add_override(world.given(), say(3, Action::Include, 1, 2));
    assert_eq!(settle(&world, &mut resolver), "0 2", "the earlier one of both is heard");
    assert!(resolver.undo_override(world.given(), 1).is_some());
    assert_eq!(settle(&world, &mut resolver), "0 1 2");
}

#[test]
fn no_limit_refuses_what_is_included() {
    let mut world = World::of(&[EMAIL, PHONE, USER]);
    (world.rules.max_identifiers, world.rules.max_links) = (1, 1);
    let mut resolver = world.resolver();
    for (id, (a, b)) in (1..).zip([(0, 1), (1, 2), (0, 2)]) {
        resolver.add_override(world.given(), say(id, Action::Include, a, b));
    }
    assert_eq!(settle(&world, &mut resolver), "0 1 2");
    let links = resolver.resolution().link_verdicts(world.given(), 0, usize::MAX).unwrap();
    assert_eq!(links.iter().filter(|link| link.is_accepted()).count(), 3);
}

/// Of several on one pair the latest holds; the pair is judged by what is left when one is undone, in any order.
#[test]
fn overrides_are_undone_one_by_one() {
    let world = World::of(&[EMAIL, EMAIL]);
    let mut resolver = world.resolver();
    for (id, action) in [(1, Action::Include), (2, Action::Exclude), (3, Action::Include)] {
        assert!(resolver.add_override(world.given(), say(id, action, 0, 1)));
    }
    assert!(!resolver.add_override(world.given(), say(3, Action::Exclude, 0, 1)), "the id is taken");
    assert_eq!(settle(&world, &mut resolver), "0 1");
    assert!(resolver.undo_override(world.given(), 1).is_some());
    assert_eq!(settle(&world, &mut resolver), "0 1");
    assert!(resolver.undo_override(world.given(), 3).is_some());
    assert_eq!(settle(&world, &mut resolver), "");
    assert!(resolver.undo_override(world.given(), 3).is_none());
    assert!(resolver.undo_override(world.given(), 2).is_some());
    assert_eq!(settle(&world, &mut resolver), "");
}

/// A new rulebook holds for all that was ever seen, and the old one gives the old persons back.
#[test]
fn other_rules_hold_for_old_links() {
    let mut world = World::of(&[USER, USER, EMAIL]);
    let mut resolver = world.resolve(&[(&[0, 2], 1), (&[1, 2], 2)]);
    assert_eq!(written(&resolver.resolution()), "0 1 2");
    world.rule(USER).unique = true;
    let before = resolver.resolution();
    assert_eq!(written(&before.under(world.given())), "0 2", "as it would be");
    assert_eq!(written(&before), "0 1 2");
    let settled = resolver.rebuild(world.given());
    assert_eq!(written(&resolver.resolution()), "0 2");
    assert_eq!(settled.changed.len(), 2);
    world.rule(USER).unique = false;
    resolver.rebuild(world.given());
    assert_eq!(written(&resolver.resolution()), "0 1 2");
    world.blocked.insert(2);
    resolver.rebuild(world.given());
    assert_eq!(written(&resolver.resolution()), "");
}

#[test]
fn a_person_takes_no_more_than_its_largest_size() {
    let mut world = World::of(&[USER, COOKIE, COOKIE, COOKIE]);
    world.rules.max_identifiers = 3;
    let sets: [(&[u32], i64); 3] = [(&[0, 3], 1), (&[0, 1], 2), (&[0, 2], 3)];
    assert_eq!(written(&world.resolve(&sets).resolution()), "0 1 3");
    (world.rules.max_identifiers, world.rules.max_links) = (1_000, 1);
    assert_eq!(written(&world.resolve(&sets).resolution()), "0 3");
}

/// The strongest links come first: one more among strong ones takes the room of a weak one.
#[test]
fn a_link_within_a_person_counts_against_its_links() {
    let mut world = World::of(&[USER, EMAIL, PHONE, DEVICE]);
    world.rules.max_links = 3;
    let mut resolver = world.resolve(&[(&[0, 1], 1), (&[0, 2], 2), (&[0, 3], 3)]);
    assert_eq!(written(&resolver.resolution()), "0 1 2 3");
    resolver.add_set(world.given(), &[1, 2], seen(4, 0)).unwrap();
    assert_eq!(settle(&world, &mut resolver), "0 1 2");
}
