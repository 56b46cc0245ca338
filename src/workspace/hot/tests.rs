use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::identity::tests::{Event, add, event};
use crate::identity::{IdentifierTypes, IdentityGraph};
use crate::store::dead_letters;
use crate::store::events::{LocalMonths, schema};

/// Rows of these message ids, with NULL in every column that may be.
fn rows(ids: &[String]) -> RecordBatch {
    let stored = schema::stored();
    let columns = stored.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "message_id" | "type" => Arc::new(StringArray::from_iter_values(ids)),
            "ts" | "received_at" => {
                let times = (0..ids.len() as i64).map(|row| 1_709_222_400_000_000 + row);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            _ => new_null_array(field.data_type(), ids.len()),
        }
    });
    let batch = RecordBatch::try_new(Arc::clone(&stored), columns.collect()).unwrap();
    LocalMonths::new(chrono_tz::UTC).with_months(&batch).unwrap()
}

fn load(source: &str, kept: usize) -> LoadRecord {
    LoadRecord {
        number: 1,
        source: source.into(),
        content_hash: "c".into(),
        file_hash: None,
        token_source: Some("shop".into()),
        repetition: 3,
        kept: kept as u64,
        duplicate: 0,
        rejected: 1,
    }
}

/// One rejected row with this reason.
fn dead_letter(reason: &str) -> RecordBatch {
    let letters = dead_letters::schema();
    let columns = letters.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "source" | "reason" => Arc::new(StringArray::from_iter_values([reason])),
            "received_at" => Arc::new(TimestampMicrosecondArray::from_iter_values([7]).with_timezone("UTC")),
            _ => new_null_array(field.data_type(), 1),
        }
    });
    RecordBatch::try_new(Arc::clone(&letters), columns.collect()).unwrap()
}

/// The part of one record.
fn part(position: u64, graph: &mut IdentityGraph, row_count: usize) -> HotPart {
    let ids: Vec<String> = (0..row_count).map(|row| format!("{position}-{row}")).collect();
    let events: Vec<Event> = ids.iter().map(|id| event(&[(0, id), (7, "shared")])).collect();
    add(graph, &events);
    let mut identity = graph.finish_batch();
    identity.set_position(position);
    let loads = vec![load(&position.to_string(), row_count)];
    let dead_letters = vec![dead_letter(&position.to_string())];
    let result = AppendResult { position, kept: row_count as u64, ..AppendResult::default() };
    let batches = vec![HotBatch { key: BatchKey::of(&position.to_string()), received_at: 7, result }];
    let epoch = graph.epoch();
    HotPart { first: position, last: position, rows: rows(&ids), dead_letters, loads, batches, identity, epoch }
}

fn texts(rows: &RecordBatch, name: &str) -> Vec<String> {
    let texts = rows.column_by_name(name).unwrap().as_string::<i32>();
    texts.iter().flatten().map(str::to_owned).collect()
}

fn message_ids(parts: &[Arc<HotPart>]) -> Vec<String> {
    parts.iter().flat_map(|part| texts(&part.rows, "message_id")).collect()
}

#[test]
fn a_part_survives_the_log() {
    let mut graph = IdentityGraph::default();
    let written = part(7, &mut graph, 3);
    let types = IdentifierTypes::default();
    let payload = Bytes::from(written.to_payload(&types).unwrap());
    let read = HotPart::from_payload(7, payload.clone(), &types, &mut LocalMonths::new(chrono_tz::UTC)).unwrap();
    assert_eq!(read, HotPart { epoch: 0, ..written });
    for end in 0..payload.len() {
        let cut = payload.slice(..end);
        let error = HotPart::from_payload(7, cut, &types, &mut LocalMonths::new(chrono_tz::UTC)).unwrap_err();
        assert_eq!(error.kind(), crate::error::Kind::Corrupt, "{end}");
        assert!(error.message().contains("record 7"), "{error}");
    }
}

/// Who holds a state reads it, whatever is joined behind it.
#[test]
fn parts_of_another_state_stay_as_they_are() {
    let mut graph = IdentityGraph::default();
    let mut hot = Hot::default();
    hot.push(part(1, &mut graph, 2)).unwrap();
    let (held, shown) = (hot.clone(), hot.parts()[0].as_ref().clone());
    hot.push(part(2, &mut graph, 2)).unwrap();
    assert_eq!((hot.parts().len(), hot.parts()[0].last), (1, 2));
    assert_eq!(held.parts()[0].as_ref(), &shown);
}

/// Where nobody else holds a part its identifiers are not copied: a restart joins all that was not flushed.
#[test]
fn what_is_joined_is_moved() {
    let mut graph = IdentityGraph::default();
    let mut hot = Hot::default();
    hot.push(part(1, &mut graph, 2)).unwrap();
    let texts =
        |hot: &Hot| hot.parts()[0].identity.nodes.iter().map(|(_, _, value)| value.as_ptr()).collect::<Vec<_>>();
    let before = texts(&hot);
    let next = part(2, &mut graph, 2);
    let behind: Vec<_> = next.identity.nodes.iter().map(|(_, _, value)| value.as_ptr()).collect();
    hot.push(next).unwrap();
    assert_eq!(texts(&hot), [before, behind].concat());
}

/// Texts of a column are 2 GiB at most: a record that is durable must not find no place.
#[test]
fn large_parts_are_not_joined_however_few_their_rows_are() {
    let mut hot = Hot::default();
    for position in 1..3 {
        let large = rows(&["x".repeat(20 << 20)]);
        hot.push(HotPart { first: position, last: position, rows: large, ..HotPart::default() }).unwrap();
    }
    assert_eq!(hot.parts().len(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However parts are joined, the rows, loads and identity changes are those of the records in their order, and what
    /// was sealed can be taken away by its position.
    #[test]
    fn joined_parts_hold_all_records(sizes in prop::collection::vec((0_usize..40, prop::bool::weighted(0.1)), 1..60)) {
        let mut graph = IdentityGraph::default();
        let (mut hot, mut expected, mut gone) = (Hot::default(), Vec::new(), 0);
        let mut sealed: Option<(u64, Vec<String>)> = None;
        for (number, (size, seals)) in sizes.into_iter().enumerate() {
            let position = number as u64 + 1;
            let next = part(position, &mut graph, size);
            expected.extend(message_ids(&[Arc::new(next.clone())]));
            hot.push(next).unwrap();
            if seals {
                if let Some((position, ids)) = sealed.take() {
                    hot = hot.without(position);
                    expected.drain(..ids.len());
                    gone = position;
                }
                let parts = hot.seal();
                sealed = Some((parts.last().unwrap().last, message_ids(&parts)));
            }
            prop_assert_eq!(message_ids(hot.parts()), expected.clone());
            let loads: Vec<u64> = hot.parts().iter().flat_map(|part| &part.loads).map(|load| load.kept).collect();
            prop_assert_eq!(loads.len() as u64, position - gone);
            let letters: Vec<&RecordBatch> = hot.parts().iter().flat_map(|part| &part.dead_letters).collect();
            prop_assert_eq!(letters.len(), hot.parts().len(), "those of a part are one batch");
            let reasons: Vec<String> = letters.into_iter().flat_map(|letters| texts(letters, "reason")).collect();
            let expected_reasons: Vec<String> = (gone + 1..=position).map(|position| position.to_string()).collect();
            prop_assert_eq!(reasons, expected_reasons);
            let bytes: usize = hot.parts().iter().map(|part| part.bytes()).sum();
            prop_assert_eq!(hot.bytes(), bytes);
            let bounds: Vec<_> = hot.parts().iter().map(|part| (part.first, part.last)).collect();
            prop_assert!(bounds.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{:?}", bounds);
            prop_assert_eq!((bounds[0].0, hot.last()), (gone + 1, Some(position)));
            // As many parts as digits, and those of before the seal.
            prop_assert!(hot.parts().len() <= 2 * 8, "{} parts", hot.parts().len());
        }
        let mut again = IdentityGraph::default();
        if gone == 0 {
            for part in hot.parts() {
                again.replay(&part.identity).unwrap();
            }
            prop_assert_eq!(again.nodes(), graph.nodes());
        }
    }
}
