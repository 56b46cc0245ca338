//! Union-find alone, over links of integers that are made before a clock starts, beside petgraph's.

use std::time::Instant;

use convoke::identity::resolution::Forest;
use petgraph::unionfind::UnionFind;

use super::samples;

const NODES: u32 = 20_000_000;
/// Nodes of a person.
const OF_PERSON: u32 = 3;
const RUNS: usize = 3;

pub fn measure() -> anyhow::Result<()> {
    println!("| 20 M nodes, persons of 3 | links | M links/s | petgraph, M links/s | ratio |\n|---|---|---|---|---|");
    for (name, links) in [("append order", in_order()), ("scattered", scattered())] {
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let (own, roots) = time_ours(&links);
            let (other, labels) = time_petgraph(&links);
            anyhow::ensure!(is_same_partition(&roots, &labels), "the components differ");
            ours.push(own);
            theirs.push(other);
            ratios.push(own / other);
        }
        let [ours, theirs, ratio] = [&ours, &theirs, &ratios].map(|values| samples::median(values));
        println!("| {name} | {} | {ours:.1} | {theirs:.1} | {ratio:.2} |", links.len());
    }
    println!();
    Ok(())
}

/// As identifiers come: those of a person have numbers near each other, and one of three events names again whom it names.
fn in_order() -> Vec<(u32, u32)> {
    let of_person = |first: u32| [(first, first + 1), (first, first + 2), (first, first + 1)];
    (0..NODES / OF_PERSON).flat_map(|person| of_person(person * OF_PERSON)).collect()
}

/// The same persons, whose identifiers have numbers all over, and whose links come in no order.
fn scattered() -> Vec<(u32, u32)> {
    let mut numbers: Vec<u32> = (0..NODES).collect();
    shuffle(&mut numbers, 1);
    let number = |node: u32| numbers[node as usize];
    let mut links: Vec<(u32, u32)> = in_order().into_iter().map(|(a, b)| (number(a), number(b))).collect();
    shuffle(&mut links, 2);
    links
}

/// By Fisher and Yates, with the numbers of xorshift.
fn shuffle<T>(values: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..values.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        values.swap(last, (state % (last as u64 + 1)) as usize);
    }
}

/// Millions of links a second, roots of all nodes included.
fn time_ours(links: &[(u32, u32)]) -> (f64, Vec<u32>) {
    let start = Instant::now();
    let mut forest = Forest::new(NODES as usize);
    for (a, b) in links {
        forest.union(*a, *b);
    }
    let roots = forest.into_roots();
    (links.len() as f64 / start.elapsed().as_secs_f64() / 1e6, roots)
}

fn time_petgraph(links: &[(u32, u32)]) -> (f64, Vec<u32>) {
    let start = Instant::now();
    let mut forest = UnionFind::<u32>::new(NODES as usize);
    for (a, b) in links {
        forest.union(*a, *b);
    }
    let labels = forest.into_labeling();
    (links.len() as f64 / start.elapsed().as_secs_f64() / 1e6, labels)
}

/// Whether each label stands for one root, and each root for one label.
fn is_same_partition(roots: &[u32], labels: &[u32]) -> bool {
    let mut root_of = vec![u32::MAX; labels.len()];
    let mut label_of = vec![u32::MAX; roots.len()];
    roots.iter().zip(labels).all(|(root, label)| {
        for (held, now) in [(&mut root_of[*label as usize], *root), (&mut label_of[*root as usize], *label)] {
            if *held == u32::MAX {
                *held = now;
            }
            if *held != now {
                return false;
            }
        }
        true
    })
}
