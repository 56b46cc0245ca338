use arrow::array::*;
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use futures::{StreamExt, TryStreamExt};

use super::super::encode::{Encoder, split};
use super::*;

fn bytes_of(message: Message) -> Vec<u8> {
    frames(message).unwrap().into_iter().flatten().collect()
}

/// What prost, which other servers encode with, makes of the bytes behind gRPC's prefix.
fn decoded(message: Message) -> FlightData {
    let bytes = bytes_of(message);
    let length = u32::from_be_bytes(bytes[1..PREFIX_BYTES].try_into().unwrap());
    assert_eq!((bytes[0], length as usize), (0, bytes.len() - PREFIX_BYTES));
    FlightData::decode(&bytes[PREFIX_BYTES..]).unwrap()
}

fn a_batch(rows: usize) -> RecordBatch {
    let numbers = Int64Array::from_iter((0..rows as i64).map(|n| (n % 7 != 0).then_some(n)));
    let texts = StringArray::from_iter((0..rows).map(|n| (n % 5 != 0).then(|| "text ".repeat(n % 4))));
    let flags = BooleanArray::from_iter((0..rows).map(|n| (n % 3 != 0).then_some(n % 2 == 0)));
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>(
        (0..rows).map(|n| (n % 6 != 0).then(|| vec![Some(n as i64), None])),
    );
    let inner = Arc::new(Int64Array::from_iter_values(0..rows as i64)) as ArrayRef;
    let valid = NullBuffer::from_iter((0..rows).map(|n| n % 4 != 0));
    let fields = vec![Field::new("n", DataType::Int64, true)].into();
    let structs = StructArray::new(fields, vec![inner], Some(valid));
    let columns: [(&str, ArrayRef); 5] = [
        ("n", Arc::new(numbers)),
        ("t", Arc::new(texts)),
        ("f", Arc::new(flags)),
        ("l", Arc::new(lists)),
        ("s", Arc::new(structs)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).unwrap()
}

/// Whole batches, slices whose offsets and bits do not start at zero, and large ones that are split.
#[tokio::test]
async fn arrow_flight_reads_the_batches_that_were_framed() {
    let large = a_batch(200_000);
    let given = [a_batch(100), large.slice(3, 1_001), large.slice(77, 0), large];
    let mut encoder = Encoder::new(&given[0].schema()).unwrap();
    let mut messages = vec![decoded(encoder.schema())];
    for batch in &given {
        for part in split(batch.clone()) {
            messages.push(decoded(encoder.batch(&part).unwrap()));
        }
    }
    assert!(messages.len() > 6, "the large one was split");
    let stream = futures::stream::iter(messages).map(Ok);
    let read: Vec<RecordBatch> = FlightRecordBatchStream::new_from_flight_data(stream).try_collect().await.unwrap();
    let schema = given[0].schema();
    let (read, given) =
        (arrow::compute::concat_batches(&schema, &read), arrow::compute::concat_batches(&schema, &given));
    assert_eq!(read.unwrap(), given.unwrap());
}

#[test]
fn large_buffers_are_not_copied() {
    let numbers = Int64Array::from_iter_values(0..100_000);
    let place = numbers.values().inner().as_ptr();
    let batch = RecordBatch::try_from_iter([("n", Arc::new(numbers) as ArrayRef)]).unwrap();
    let message = Encoder::new(&batch.schema()).unwrap().batch(&batch).unwrap();
    let frames = frames(message).unwrap();
    assert!(frames.iter().any(|frame| frame.as_ptr() == place && frame.len() == 800_000));
}

#[test]
fn a_request_that_is_no_ticket_is_refused() {
    let whole = |message: &[u8]| {
        let mut bytes = vec![0];
        bytes.extend((message.len() as u32).to_be_bytes());
        bytes.extend(message);
        bytes
    };
    let sent = Ticket::new("abc");
    assert_eq!(ticket(&whole(&sent.encode_to_vec())).unwrap(), sent);
    let mut longer = whole(&sent.encode_to_vec());
    longer.push(0);
    let mut compressed = whole(&sent.encode_to_vec());
    compressed[0] = 1;
    for (bytes, part) in [
        (Vec::new(), "there is none"),
        (longer, "another length"),
        (compressed, "compressed"),
        (whole(&[0xff; 9]), "no ticket"),
    ] {
        let status = ticket(&bytes).unwrap_err();
        assert!(status.message().contains(part), "{status}");
    }
}
