//! One node that is linked to very many does not slow the others. Work is counted by questions for the type of a node.

use super::{COOKIE, DEVICE, EMAIL, USER, World, parts, seen};
use crate::identity::resolution::Resolver;
use crate::ids::Node;

/// Those who are linked to the one.
const MANY: u32 = 100_000;
/// Persons of two identifiers each, beside them.
const OTHERS: u32 = 1_000;
const BUDGET: usize = 10_000;

fn world(one: u8, many: u8) -> World {
    let others = (0..OTHERS).flat_map(|_| [USER, COOKIE]);
    World::of(&std::iter::once(one).chain((0..MANY).map(|_| many)).chain(others).collect::<Vec<_>>())
}

/// Links each of the others, one in a batch; how often a type was asked for.
fn link_others(world: &World, resolver: &mut Resolver) -> usize {
    world.asked.set(0);
    for other in 0..OTHERS {
        let node = 1 + MANY + 2 * other;
        resolver.add_set(world.given(), &[node, node + 1], seen(1, 0)).unwrap();
        resolver.settle(world.given(), BUDGET);
    }
    world.asked.get()
}

fn link_many(world: &World, resolver: &mut Resolver, many: std::ops::Range<Node>) {
    for node in many {
        let nodes = if world.kinds[0] == DEVICE { [node, 0] } else { [0, node] };
        resolver.add_set(world.given(), &nodes, seen(i64::from(node), 0)).unwrap();
    }
}

#[test]
fn a_shared_device_of_many_users_slows_nobody() {
    let mut world = world(DEVICE, USER);
    world.rule(DEVICE).max_fanout = Some(5);
    world.rule(USER).unique = true;
    let alone = link_others(&world, &mut world.resolver());
    let mut resolver = world.resolver();
    link_many(&world, &mut resolver, 1..MANY);
    world.asked.set(0);
    assert_eq!(resolver.settle(world.given(), BUDGET).pending, 0, "the cut is small work");
    assert!(world.asked.get() < 1_000, "{}", world.asked.get());
    let beside = link_others(&world, &mut resolver);
    assert!(beside <= 2 * alone, "{beside} beside a shared device, {alone} alone");
    world.asked.set(0);
    link_many(&world, &mut resolver, MANY..MANY + 1);
    resolver.settle(world.given(), BUDGET);
    assert!(world.asked.get() < 100, "one more link to it: {}", world.asked.get());
    assert!(resolver.resolution().is_shared(0));
}

/// A word that stands in place of an e-mail address, with one cookie after the other: no limit of fan-out cuts it, the size of
/// a person does. The whole of it is above the budget of a batch.
#[test]
fn a_person_above_all_limits_waits_and_slows_nobody() {
    let world = world(EMAIL, COOKIE);
    let alone = link_others(&world, &mut world.resolver());
    let mut resolver = world.resolver();
    link_many(&world, &mut resolver, 1..MANY);
    assert!(resolver.settle(world.given(), BUDGET).pending > 0);
    let held = resolver.resolution();
    let beside = link_others(&world, &mut resolver);
    assert!(beside <= 2 * alone, "{beside} beside, {alone} alone");
    world.asked.set(0);
    link_many(&world, &mut resolver, MANY..MANY + 1);
    assert!(resolver.settle(world.given(), BUDGET).pending > 0);
    assert!(world.asked.get() < 1_000, "one more link to it: {}", world.asked.get());
    assert_eq!(held.nodes_with(0).count(), 1_000, "the persons of before stand");
    assert_eq!(resolver.settle_waiting(world.given(), usize::MAX).pending, 0);
    let largest = parts(&resolver.resolution()).iter().map(|part| part.len()).max();
    assert_eq!(largest, Some(1_000), "as many as a person may have");
}
