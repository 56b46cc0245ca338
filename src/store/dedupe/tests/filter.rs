use bytes::Bytes;

use super::super::filter::{FilterBuilder, KeyFilter};
use super::super::key::RawKey;
use super::super::reader::ByteReader;
use super::key;

fn build(keys: &[RawKey], section_keys: usize) -> KeyFilter {
    let mut builder = FilterBuilder::new(section_keys);
    keys.iter().for_each(|key| builder.push(key));
    builder.finish()
}

fn encode(filter: &KeyFilter) -> Vec<u8> {
    let mut bytes = Vec::new();
    filter.encode(&mut bytes);
    bytes
}

fn sorted_keys(count: u64) -> Vec<RawKey> {
    let mut keys: Vec<RawKey> = (0..count).map(|number| key(number).raw()).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn no_key_is_denied_at_any_size() {
    for count in (0..300).chain([1000, 5000]) {
        let keys = sorted_keys(count);
        for section_keys in [16, 100_000] {
            let filter = build(&keys, section_keys);
            let read = KeyFilter::decode(&mut ByteReader::new(encode(&filter).into())).unwrap();
            let missed = keys.iter().filter(|key| !filter.may_contain(key) || !read.may_contain(key)).count();
            assert_eq!(missed, 0, "{count} keys in sections of {section_keys}");
        }
    }
}

#[test]
fn one_in_256_others_hits_at_about_a_byte_a_key() {
    let filter = build(&sorted_keys(100_000), 50_000);
    let hits = (100_000..200_000).filter(|number| filter.may_contain(&key(*number).raw())).count();
    assert!((250..550).contains(&hits), "{hits} of 100,000 keys hit");
    assert!(filter.bytes() < 125_000, "{} bytes", filter.bytes());
}

#[test]
fn keys_of_one_prefix_share_a_fingerprint() {
    let keys: Vec<RawKey> = (0..40).map(|number: u128| (7_u128 << 64 | number).to_be_bytes()).collect();
    let filter = build(&keys, 16);
    assert!(keys.iter().all(|key| filter.may_contain(key)));
}

#[test]
fn a_section_without_a_filter_denies_nothing() {
    let mut bytes = 1_u32.to_le_bytes().to_vec();
    bytes.extend([5; 16]);
    bytes.extend([0; 20]);
    let filter = KeyFilter::decode(&mut ByteReader::new(bytes.into())).unwrap();
    assert!(filter.may_contain(&[5; 16]) && filter.may_contain(&[200; 16]));
    assert!(!filter.may_contain(&[4; 16]), "the first key is the least");
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let whole = encode(&build(&sorted_keys(50), 16));
    assert!(
        (0..whole.len())
            .all(|end| KeyFilter::decode(&mut ByteReader::new(Bytes::from(whole[..end].to_vec()))).is_none())
    );
    // Any other descriptor would reach out of bounds sooner or later.
    for at in 20 + 8..20 + 16 {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        assert!(KeyFilter::decode(&mut ByteReader::new(bytes.into())).is_none(), "byte {at}");
    }
    let mut many = whole;
    many[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(KeyFilter::decode(&mut ByteReader::new(many.into())).is_none());
}
