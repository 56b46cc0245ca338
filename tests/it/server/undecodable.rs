use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow_flight::{FlightData, FlightDescriptor};
use bytes::{Buf, BufMut, Bytes};
use futures::TryStreamExt;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Status};

use super::{rows, served, within};

/// No field of protobuf ends in these bytes.
const NONSENSE: &[u8] = &[0xff; 40];

/// Sends bytes as they are, in place of messages.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, target: &mut EncodeBuf<'_>) -> Result<(), Status> {
        target.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(source.copy_to_bytes(source.remaining())))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_message_is_the_senders_fault() {
    within(async {
        let served = served().await;
        for call in ["GetFlightInfo", "GetSchema", "DoGet", "DoPut", "DoAction", "Handshake"] {
            let mut client = Grpc::new(served.channel().await);
            client.ready().await.unwrap();
            let path = format!("/arrow.flight.protocol.FlightService/{call}");
            let mut request = served.authorized(Bytes::from_static(NONSENSE));
            if call == "Handshake" {
                // Who has no token in a header has it in the message.
                request.metadata_mut().remove("authorization");
            }
            let path: PathAndQuery = path.parse().unwrap();
            let status = client.server_streaming(request, path, Raw).await.map(drop).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{call}: {status}");
        }
        assert_eq!(rows(&mut served.client().await, "SELECT count(*) FROM events").await, ["4"]);
    })
    .await;
}

/// Forty zeros are a message of Arrow whose every field is left out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_no_kind_is_refused_by_its_number() {
    within(async {
        let served = served().await;
        let schema =
            Schema::new(vec![Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false)]);
        let mut messages = arrow_flight::utils::batches_to_flight_data(&schema, Vec::new()).unwrap();
        messages[0].flight_descriptor = Some(FlightDescriptor::new_path(vec!["events".to_owned()]));
        messages.push(FlightData { data_header: vec![0; 40].into(), ..Default::default() });
        let request = served.authorized(futures::stream::iter(messages));
        let answers = served.raw().await.do_put(request).await.unwrap().into_inner();
        let status = answers.try_collect::<Vec<_>>().await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
        assert!(status.message().starts_with("batch 1: the uploaded Arrow message is malformed"), "{status}");
    })
    .await;
}
