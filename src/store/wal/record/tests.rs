//! Frames and headers come back as they were written, and any bytes are read without a panic.

use proptest::prelude::*;

use super::*;

fn record(position: u64, kind: RecordKind, payload: &[u8]) -> Record {
    Record { position, kind, flags: 5, payload: Bytes::copy_from_slice(payload) }
}

fn header() -> Header {
    Header {
        workspace: Uuid::from_u128(7),
        term: 3,
        writer: Uuid::from_u128(9),
        sequence: 12,
        first_position: 345,
        schema_revision: 2,
    }
}

#[test]
fn frames_follow_each_other() {
    let (first, second) = (record(1, RecordKind::Events, b"abc"), record(2, RecordKind::Fence, b""));
    let mut out = Vec::new();
    encode(&first, 1, &mut out);
    encode(&second, 2, &mut out);
    assert_eq!(out.len(), frame_bytes(&first.payload) + frame_bytes(&second.payload));
    let bytes = Bytes::from(out);
    let Frame::Record { record, durable_lag: 1, next } = decode(&bytes, 0) else { panic!("{:?}", decode(&bytes, 0)) };
    assert_eq!(record, first);
    let Frame::Record { record, durable_lag: 2, next } = decode(&bytes, next) else { panic!("no second frame") };
    assert_eq!(record, second);
    assert_eq!(decode(&bytes, next), Frame::End);
    assert_eq!(decode(&bytes, next + 1), Frame::End);
}

/// The bytes of the format, so that a change of it does not pass unseen.
#[test]
fn the_layout_is_fixed() {
    let mut out = Vec::new();
    encode(&record(0x0102, RecordKind::SetVersion, b"xy"), 0x0304, &mut out);
    assert_eq!(out[..4], [2, 0, 0, 0]);
    assert_eq!(out[8..], [2, 1, 0, 0, 0, 0, 0, 0, 7, 5, 4, 3, b'x', b'y']);
    let mut covered = out[8..].to_vec();
    covered.extend([2, 0, 0, 0]);
    assert_eq!(out[4..8], crc32c::crc32c(&covered).to_le_bytes());
    assert_eq!(header().encode()[..8], *b"CVKLOG\x02\x00");
}

#[test]
fn every_kind_keeps_its_number() {
    let kinds: Vec<_> = (0..=255).filter_map(RecordKind::from_number).collect();
    assert_eq!(kinds.iter().map(|kind| *kind as u8).collect::<Vec<_>>(), (1..=11).collect::<Vec<_>>());
}

#[test]
fn an_unknown_kind_is_refused_and_not_cut() {
    let mut out = Vec::new();
    encode(&record(77, RecordKind::Events, b"abc"), 1, &mut out);
    out[16] = 200;
    let crc = checksum(&out[8..], 3);
    out[4..8].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(decode(&Bytes::from(out), 0), Frame::Unknown { position: 77, number: 200 });
    let error = unknown_kind(77, 200);
    assert_eq!(error.kind(), crate::error::Kind::Corrupt);
    assert!(error.message().contains("position 77"), "{error}");
}

#[test]
fn a_lag_that_does_not_fit_says_nothing() {
    assert_eq!(durable_lag(10, 7), 3);
    assert_eq!(durable_before(10, 3), Some(7));
    assert_eq!(durable_lag(100_000, 0), u16::MAX);
    assert_eq!(durable_lag(65_535, 0), u16::MAX);
    assert_eq!(durable_before(100_000, u16::MAX), None);
    assert_eq!(durable_before(3, 5), None);
}

#[test]
fn zeros_are_the_end_and_a_cut_frame_is_bad() {
    assert_eq!(decode(&Bytes::from(vec![0; 100]), 3), Frame::End);
    assert_eq!(decode(&Bytes::from(vec![0; 5]), 0), Frame::End);
    let mut out = Vec::new();
    encode(&record(1, RecordKind::Events, b"abcdef"), 1, &mut out);
    for len in 1..out.len() {
        let frame = decode(&Bytes::copy_from_slice(&out[..len]), 0);
        assert!(matches!(frame, Frame::Bad { .. }), "{len}: {frame:?}");
    }
}

#[test]
fn a_header_of_another_format_is_refused_by_name() {
    let mut bytes = header().encode();
    bytes[6] = 3;
    let crc = crc32c::crc32c(&bytes[..68]);
    bytes[68..].copy_from_slice(&crc.to_le_bytes());
    let error = Header::decode(&bytes).unwrap_err();
    assert!(error.message().contains("format 3"), "{error}");
}

#[test]
fn each_flip_of_a_header_is_found() {
    let bytes = header().encode();
    assert_eq!(Header::decode(&bytes).unwrap(), Some(header()));
    assert_eq!(Header::decode(&bytes[..HEADER_BYTES - 1]).unwrap(), None);
    assert_eq!(Header::decode(&[0; HEADER_BYTES]).unwrap(), None);
    for bit in 0..HEADER_BYTES * 8 {
        let mut flipped = bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Header::decode(&flipped).is_err(), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn any_record_comes_back(position in any::<u64>(), kind in 1u8..=11, flags in any::<u8>(), lag in any::<u16>(),
        payload in proptest::collection::vec(any::<u8>(), 0..300), before in 0usize..40) {
        let kind = RecordKind::from_number(kind).unwrap();
        let record = Record { position, kind, flags, payload: Bytes::from(payload) };
        let mut out = vec![9; before];
        encode(&record, lag, &mut out);
        let len = out.len();
        prop_assert_eq!(decode(&Bytes::from(out), before), Frame::Record { record, durable_lag: lag, next: len });
    }

    #[test]
    fn each_flip_of_a_frame_is_found(payload in proptest::collection::vec(any::<u8>(), 0..100), bit in any::<proptest::sample::Index>()) {
        let mut out = Vec::new();
        encode(&record(5, RecordKind::Load, &payload), 2, &mut out);
        let bit = bit.index(out.len() * 8);
        out[bit / 8] ^= 1 << (bit % 8);
        let frame = decode(&Bytes::from(out), 0);
        prop_assert!(matches!(frame, Frame::Bad { .. }), "{frame:?}");
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), offset in 0usize..300) {
        decode(&Bytes::from(bytes.clone()), offset);
        let _ = Header::decode(&bytes);
    }
}
