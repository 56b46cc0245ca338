use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use bytes::Bytes;
use futures::TryStreamExt;
use proptest::prelude::*;

use super::*;
use crate::error::Kind;

fn batch() -> RecordBatch {
    RecordBatch::try_from_iter([
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])) as ArrayRef),
        ("t", Arc::new(StringArray::from(vec!["a", "bb", "ccc"])) as ArrayRef),
    ])
    .unwrap()
}

fn messages() -> Vec<FlightData> {
    arrow_flight::utils::batches_to_flight_data(&batch().schema(), vec![batch()]).unwrap()
}

async fn received(messages: Vec<FlightData>) -> Result<Vec<Received>> {
    receive(futures::stream::iter(messages.into_iter().map(Ok))).try_collect().await
}

#[tokio::test]
async fn what_was_sent_is_received() {
    let all = received(messages()).await.unwrap();
    assert!(matches!(&all[0], Received::Schema(schema) if *schema == batch().schema()));
    assert!(matches!(&all[1], Received::Batch(received) if *received == batch()));
}

#[tokio::test]
async fn a_batch_without_a_schema_and_a_cut_body_are_refused() {
    let error = received(messages().split_off(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    let mut cut = messages();
    cut[1].data_body = cut[1].data_body.slice(..8);
    assert_eq!(received(cut).await.unwrap_err().kind(), Kind::InvalidInput);
}

/// Verified as a table of flatbuffers whose every field is left out, and so a message without a kind.
#[tokio::test]
async fn a_message_of_no_kind_is_refused() {
    let mut with_zeros = messages();
    with_zeros.push(FlightData { data_header: vec![0; 40].into(), ..Default::default() });
    let mut stream = receive(futures::stream::iter(with_zeros.into_iter().map(Ok)));
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.unwrap().is_ok());
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains("malformed"), "{error}");
}

#[tokio::test]
async fn nothing_follows_an_error() {
    let mut broken = messages();
    broken[1].data_header = Bytes::from_static(b"nonsense");
    broken.push(messages().remove(1));
    let mut stream = receive(futures::stream::iter(broken.into_iter().map(Ok)));
    assert!(stream.next().await.unwrap().is_ok());
    assert!(stream.next().await.unwrap().is_err());
    assert!(stream.next().await.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn altered_messages_never_crash(
        in_body in any::<bool>(),
        position in any::<prop::sample::Index>(),
        value in any::<u8>(),
    ) {
        let mut altered = messages();
        let part = if in_body { &mut altered[1].data_body } else { &mut altered[1].data_header };
        let mut bytes = part.to_vec();
        let at = position.index(bytes.len());
        bytes[at] = value;
        *part = Bytes::from(bytes);
        // Either outcome is right; a panic or an abort is not.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _ = runtime.block_on(received(altered));
    }
}
