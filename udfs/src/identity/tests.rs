use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Accumulator;
use proptest::prelude::*;

use super::connected_components::Components;
use super::node::Node;
use super::platform::{Platform, platform_email, platform_phone};

/// The examples of the platforms' own pages, which are named in `platform`.
#[test]
fn identifiers_have_the_form_that_platforms_document() {
    let emails = [
        (Platform::Google, "cloudy.sanfrancisco+shopping@gmail.com", Some("cloudysanfrancisco@gmail.com")),
        (Platform::Google, "user.name+NYC@Example.com", Some("user.name+nyc@example.com")),
        (Platform::Google, " Jane Doe @Example.com ", Some("janedoe@example.com")),
        (Platform::Meta, " John_Smith@gmail.com ", Some("john_smith@gmail.com")),
        (Platform::Meta, "John.Smith+a@gmail.com", Some("john.smith+a@gmail.com")),
        (Platform::Meta, "john smith@gmail.com", None),
        (Platform::TikTok, "FirstName-LastName+tag@gmail.com", Some("firstname-lastname@gmail.com")),
        (Platform::TikTok, "+tag@gmail.com", None),
        (Platform::TikTok, "a.b+tag@example.com", Some("a.b@example.com")),
    ];
    for (platform, value, expected) in emails {
        assert_eq!(platform_email(value, platform).as_deref(), expected, "{platform:?} {value}");
    }
    let phones = [
        (Platform::Google, "+1 (800) 555-0100", Some("+18005550100")),
        (Platform::Meta, "+1 (650) 555-1212", Some("16505551212")),
        (Platform::TikTok, "+1 (657)777-0000", Some("16577770000")),
        (Platform::TikTok, "+374-93-828222", Some("37493828222")),
        (Platform::Google, "(800) 555-0100", None),
    ];
    for (platform, value, expected) in phones {
        assert_eq!(platform_phone(value, platform).as_deref(), expected, "{platform:?} {value}");
    }
}

type Link<N> = (Option<N>, Option<N>);

/// Every node with the smallest that a search in all directions finds from it.
fn search<N: Ord + Clone>(links: &[Link<N>]) -> Vec<(N, N)> {
    let mut neighbours: BTreeMap<&N, BTreeSet<&N>> = BTreeMap::new();
    for (left, right) in links {
        for node in [left, right].into_iter().flatten() {
            neighbours.entry(node).or_default();
        }
        if let (Some(left), Some(right)) = (left, right) {
            neighbours.entry(left).or_default().insert(right);
            neighbours.entry(right).or_default().insert(left);
        }
    }
    let mut components: BTreeMap<&N, &N> = BTreeMap::new();
    for start in neighbours.keys().copied() {
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            if components.contains_key(node) {
                continue;
            }
            components.insert(node, start);
            queue.extend(&neighbours[node]);
        }
    }
    components.into_iter().map(|(node, component)| (node.clone(), component.clone())).collect()
}

fn columns(value: ScalarValue) -> Option<(ArrayRef, ArrayRef)> {
    let list = value.to_array().unwrap();
    let list = list.as_list::<i32>();
    list.is_valid(0).then(|| {
        let elements = list.value(0);
        let elements = elements.as_struct();
        (Arc::clone(elements.column(0)), Arc::clone(elements.column(1)))
    })
}

fn state_arrays(components: &mut impl Accumulator) -> Vec<ArrayRef> {
    components.state().unwrap().iter().map(|value| value.to_array().unwrap()).collect()
}

/// Links go to parts, in batches of at most three; the state of each part is taken into the next one, or all of them
/// into a last one.
fn by_parts<N: Node>(
    parts: &[Vec<Link<N>>],
    in_a_chain: &[bool],
    array: impl Fn(Vec<&Option<N>>) -> ArrayRef,
) -> ScalarValue {
    let mut last = Components::<N>::default();
    let mut before: Option<Vec<ArrayRef>> = None;
    for (part, chain) in parts.iter().zip(in_a_chain) {
        let mut own = Components::<N>::default();
        for batch in part.chunks(3) {
            let left = array(batch.iter().map(|(left, _)| left).collect());
            let right = array(batch.iter().map(|(_, right)| right).collect());
            own.update_batch(&[left, right]).unwrap();
        }
        match before.take() {
            Some(states) if *chain => own.merge_batch(&states).unwrap(),
            Some(states) => last.merge_batch(&states).unwrap(),
            None => {}
        }
        before = Some(state_arrays(&mut own));
    }
    if let Some(states) = before {
        last.merge_batch(&states).unwrap();
    }
    assert!(last.size() >= size_of_val(&last));
    last.evaluate().unwrap()
}

fn check<N: Node + Clone + Debug>(
    parts: &[Vec<Link<N>>],
    in_a_chain: &[bool],
    array: impl Fn(Vec<&Option<N>>) -> ArrayRef,
    read: impl Fn(&ArrayRef) -> Vec<N>,
) {
    let expected = search(&parts.concat());
    let found: Vec<(N, N)> = match columns(by_parts(parts, in_a_chain, array)) {
        Some((nodes, components)) => read(&nodes).into_iter().zip(read(&components)).collect(),
        None => Vec::new(),
    };
    assert_eq!(found, expected);
}

proptest! {
    #[test]
    fn components_are_those_of_a_search_however_the_rows_are_split(
        parts in proptest::collection::vec(
            proptest::collection::vec(
                (proptest::option::weighted(0.9, -20..20_i64), proptest::option::weighted(0.9, -20..20_i64)), 0..12),
            1..6),
        in_a_chain in proptest::collection::vec(any::<bool>(), 6),
    ) {
        check(
            &parts,
            &in_a_chain,
            |nodes| Arc::new(Int64Array::from_iter(nodes.into_iter().copied())),
            |array| array.as_primitive::<Int64Type>().values().to_vec(),
        );
        let text = |node: Option<i64>| node.map(|number| format!("节点 {number}"));
        let in_texts = |part: &Vec<Link<i64>>| -> Vec<Link<String>> {
            part.iter().map(|(left, right)| (text(*left), text(*right))).collect()
        };
        let parts: Vec<Vec<Link<String>>> = parts.iter().map(in_texts).collect();
        check(
            &parts,
            &in_a_chain,
            |nodes| Arc::new(StringArray::from_iter(nodes.into_iter().map(Option::as_deref))),
            |array| array.as_string::<i32>().iter().flatten().map(str::to_owned).collect(),
        );
    }
}

/// 100,000 nodes of 8 bytes, a parent of 4 and a place of 4 to 5 in a table at most 7/8 full, each with room to grow.
#[test]
fn memory_is_that_of_the_nodes_not_of_the_links() {
    let left: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
    let right: ArrayRef = Arc::new(Int64Array::from_iter_values((0..100_000).map(|node| node / 2)));
    let mut components = Components::<i64>::default();
    components.update_batch(&[Arc::clone(&left), Arc::clone(&right)]).unwrap();
    let size = components.size();
    assert!((1_600_000..3_200_000).contains(&size), "{size}");
    components.update_batch(&[right, left]).unwrap();
    assert_eq!(components.size(), size);

    let mut texts = Components::<String>::default();
    let long: ArrayRef = Arc::new(StringArray::from(vec!["a".repeat(1 << 20)]));
    texts.update_batch(&[Arc::clone(&long), long]).unwrap();
    assert!(texts.size() >= 1 << 20);
}
