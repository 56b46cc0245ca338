//! Without limits persons are connected components. Expected values by networkx 3.6.1 (Python): `connected_components` of
//! the same random graphs, which come from the 64-bit linear congruential generator of Knuth's MMIX.

use super::{COOKIE, World, seen, without_limits};
use crate::ids::Node;

struct Dice(u64);

impl Dice {
    fn throw(&mut self, below: u64) -> Node {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % below) as Node
    }
}

/// Components, nodes of the largest, the sum of the squares of their sizes, the sum over all nodes of the smallest node of
/// their component.
type Shape = (usize, usize, usize, u64);

fn shape(links: usize, is_whole: bool) -> Shape {
    let mut world = World::of(&[COOKIE; 5_000]);
    world.rules = without_limits();
    (world.rules.max_identifiers, world.rules.max_links) = (u32::MAX, u32::MAX);
    let mut dice = Dice(42);
    let mut resolver = world.resolver();
    for ts in 0..links {
        let (a, b) = (dice.throw(5_000), dice.throw(5_000));
        let nodes = if a == b { vec![a] } else { vec![a, b] };
        resolver.add_set(world.given(), &nodes, seen(ts as i64, 0)).unwrap();
    }
    if is_whole {
        resolver.rebuild(world.given())
    } else {
        resolver.settle(world.given(), 0)
    };
    let held = resolver.resolution();
    let smallest: Vec<Node> = (0..5_000).map(|node| held.nodes_with(node).min().unwrap()).collect();
    let sizes: Vec<usize> =
        (0..5_000).filter(|node| smallest[*node as usize] == *node).map(|node| held.nodes_with(node).count()).collect();
    let squares = sizes.iter().map(|size| size * size).sum();
    (sizes.len(), sizes.iter().copied().max().unwrap(), squares, smallest.iter().map(|node| u64::from(*node)).sum())
}

#[test]
fn persons_are_the_connected_components_of_networkx() {
    for is_whole in [false, true] {
        assert_eq!(shape(2_000, is_whole), (3_000, 54, 22_986, 8_455_878));
        assert_eq!(shape(3_000, is_whole), (2_015, 1_517, 2_318_578, 5_664_651));
        assert_eq!(shape(9_000, is_whole), (137, 4_857, 23_590_606, 336_937));
    }
}
