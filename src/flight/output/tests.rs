use arrow::array::*;
use arrow::datatypes::*;
use arrow_flight::FlightData;

use super::*;
use crate::flight::encode::{Encoder, Message, split};

fn adapted(logical: Vec<Field>, columns: Vec<ArrayRef>) -> (Output, RecordBatch) {
    let output = Output::of(&Schema::new(logical.clone()));
    let fields: Vec<Field> = logical
        .iter()
        .zip(&columns)
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true))
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let batch = output.adapt(&batch).unwrap();
    (output, batch)
}

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

#[test]
fn no_type_reaches_the_wire_that_a_client_cannot_read() {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8View));
    let cases = [
        (DataType::Utf8View, DataType::Utf8),
        (DataType::LargeUtf8, DataType::Utf8),
        (DataType::BinaryView, DataType::Binary),
        (DataType::LargeBinary, DataType::Binary),
        (dictionary, DataType::Utf8),
        (DataType::UInt8, DataType::Int16),
        (DataType::UInt16, DataType::Int32),
        (DataType::UInt32, DataType::Int64),
        (DataType::UInt64, DataType::Decimal128(20, 0)),
        (DataType::Float16, DataType::Float32),
        (DataType::Null, DataType::Utf8),
        (DataType::Decimal64(10, 2), DataType::Decimal128(10, 2)),
        (DataType::Date32, DataType::Date32),
        (DataType::Decimal128(18, 4), DataType::Decimal128(18, 4)),
    ];
    for (from, to) in cases {
        let schema = Output::of(&Schema::new(vec![field("c", from.clone())])).schema().clone();
        assert_eq!(schema.field(0).data_type(), &to, "{from}");
    }
}

#[test]
fn nested_types_are_adapted_all_the_way_down() {
    let inner = DataType::Struct(Fields::from(vec![field("text", DataType::Utf8View), field("n", DataType::UInt32)]));
    let list = DataType::LargeList(Arc::new(field("element", inner)));
    let schema = Output::of(&Schema::new(vec![field("c", list)])).schema().clone();
    let wanted = DataType::Struct(Fields::from(vec![field("text", DataType::Utf8), field("n", DataType::Int64)]));
    assert_eq!(schema.field(0).data_type(), &DataType::List(Arc::new(field("element", wanted))));
}

#[test]
fn values_survive() {
    let keys = Int32Array::from(vec![Some(1), None, Some(0)]);
    let dictionary = DictionaryArray::new(keys, Arc::new(StringArray::from(vec!["a", "b"])));
    let runs =
        RunArray::<Int32Type>::try_new(&Int32Array::from(vec![2, 3]), &StringArray::from(vec!["x", "y"])).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from(vec![Some("a"), None, Some("a text longer than twelve bytes")])),
        Arc::new(UInt64Array::from(vec![Some(u64::MAX), Some(0), None])),
        Arc::new(dictionary),
        Arc::new(runs),
        Arc::new(NullArray::new(3)),
    ];
    let logical = columns.iter().enumerate().map(|(i, c)| field(&format!("c{i}"), c.data_type().clone())).collect();
    let (output, batch) = adapted(logical, columns);
    assert_eq!(batch.schema(), *output.schema());
    assert_eq!(batch.column(0).as_string::<i32>().value(2), "a text longer than twelve bytes");
    assert_eq!(batch.column(1).as_primitive::<Decimal128Type>().value(0), i128::from(u64::MAX));
    assert!(batch.column(1).is_null(2));
    let plain: Vec<_> = batch.column(2).as_string::<i32>().iter().collect();
    assert_eq!(plain, [Some("b"), None, Some("a")]);
    let plain: Vec<_> = batch.column(3).as_string::<i32>().iter().collect();
    assert_eq!(plain, [Some("x"), Some("x"), Some("y")]);
    assert_eq!(batch.column(4).null_count(), 3);
}

#[test]
fn a_json_value_becomes_its_text() {
    let values = vec![
        Some(JsonUnionCase::Null),
        Some(JsonUnionCase::Int(4)),
        Some(JsonUnionCase::Text("a \"b\"")),
        Some(JsonUnionCase::Object("{\"k\": 1}")),
    ];
    let union = json_union(&values);
    let (output, batch) = adapted(vec![field("j", JSON_UNION_DATA_TYPE.clone())], vec![union]);
    assert_eq!(output.schema().field(0).metadata()[TYPE_NAME], "JSON");
    let text: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
    assert_eq!(text, [None, Some("4"), Some("\"a \\\"b\\\"\""), Some("{\"k\": 1}")]);
}

enum JsonUnionCase {
    Null,
    Int(i64),
    Text(&'static str),
    Object(&'static str),
}

/// A union of the type that the JSON functions yield, whose children stand in the order null, bool, int, float,
/// string, array, object.
fn json_union(values: &[Option<JsonUnionCase>]) -> ArrayRef {
    let DataType::Union(fields, _) = JSON_UNION_DATA_TYPE.clone() else { panic!("a union") };
    let type_ids: Vec<i8> = fields.iter().map(|(id, _)| id).collect();
    let rows = values.len();
    let ids: Vec<i8> = values
        .iter()
        .map(|value| match value {
            None | Some(JsonUnionCase::Null) => type_ids[0],
            Some(JsonUnionCase::Int(_)) => type_ids[2],
            Some(JsonUnionCase::Text(_)) => type_ids[4],
            Some(JsonUnionCase::Object(_)) => type_ids[6],
        })
        .collect();
    let ints: Int64Array =
        values.iter().map(|v| if let Some(JsonUnionCase::Int(i)) = v { Some(*i) } else { None }).collect();
    let texts: StringArray =
        values.iter().map(|v| if let Some(JsonUnionCase::Text(t)) = v { Some(*t) } else { None }).collect();
    let objects: StringArray =
        values.iter().map(|v| if let Some(JsonUnionCase::Object(t)) = v { Some(*t) } else { None }).collect();
    let children: Vec<ArrayRef> = vec![
        Arc::new(NullArray::new(rows)),
        new_null_array(&DataType::Boolean, rows),
        Arc::new(ints),
        new_null_array(&DataType::Float64, rows),
        Arc::new(texts),
        new_null_array(&DataType::Utf8, rows),
        Arc::new(objects),
    ];
    Arc::new(UnionArray::try_new(fields, ids.into(), None, children).unwrap())
}

#[test]
fn names_nullability_and_extensions_are_those_of_the_logical_plan() {
    let metadata = HashMap::from([
        ("ARROW:extension:name".to_owned(), "convoke.roaring32".to_owned()),
        (REMARKS.to_owned(), "would replace the name".to_owned()),
        ("is_json".to_owned(), "internal".to_owned()),
    ]);
    let bitmap = Field::new("bitmap", DataType::BinaryView, false).with_metadata(metadata);
    let money = Field::new("net", DataType::Decimal128(28, 4), true);
    let schema = Output::of(&Schema::new(vec![bitmap, money])).schema().clone();
    let (bitmap, money) = (schema.field(0), schema.field(1));
    assert!(!bitmap.is_nullable() && money.is_nullable());
    assert_eq!(bitmap.metadata()["ARROW:extension:name"], "convoke.roaring32");
    assert_eq!(bitmap.metadata()[TYPE_NAME], "ROARING");
    assert!(!bitmap.metadata().contains_key(REMARKS) && !bitmap.metadata().contains_key("is_json"));
    assert_eq!((money.metadata()[PRECISION].as_str(), money.metadata()[SCALE].as_str()), ("28", "4"));
    assert_eq!(money.metadata()[TYPE_NAME], "DECIMAL");
}

#[test]
fn the_optimizers_nullability_does_not_reach_the_wire() {
    let logical = Schema::new(vec![Field::new("max", DataType::Int64, true)]);
    let physical = Arc::new(Schema::new(vec![Field::new("max", DataType::Int64, false)]));
    let batch = RecordBatch::try_new(physical, vec![Arc::new(Int64Array::from(vec![1]))]).unwrap();
    let output = Output::of(&logical);
    assert_eq!(output.adapt(&batch).unwrap().schema(), *output.schema());
}

#[test]
fn a_broken_promise_is_an_error() {
    let logical = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
    let physical = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]));
    let batch = RecordBatch::try_new(physical, vec![Arc::new(Int64Array::from(vec![None]))]).unwrap();
    assert_eq!(Output::of(&logical).adapt(&batch).unwrap_err().kind(), crate::error::Kind::Internal);
    let wide = RecordBatch::try_from_iter([
        ("a", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ("b", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
    ]);
    assert_eq!(Output::of(&logical).adapt(&wide.unwrap()).unwrap_err().kind(), crate::error::Kind::Internal);
}

#[test]
fn values_are_never_cut_to_fit_the_promise() {
    let output = Output::of(&Schema::new(vec![field("n", DataType::Int64)]));
    let found = |values: Vec<f64>| {
        let column = Arc::new(Float64Array::from(values)) as ArrayRef;
        output.adapt(&RecordBatch::try_from_iter([("n", column)]).unwrap())
    };
    assert_eq!(found(vec![1.0, 2.0]).unwrap().column(0).as_ref(), &Int64Array::from(vec![1, 2]) as &dyn Array);
    let refused = found(vec![1.0, 1.5]).unwrap_err().to_string();
    assert!(refused.contains("'n'") && refused.contains("Int64") && refused.contains("Float64"), "{refused}");
}

/// Prepare and GetFlightInfo send `schema_bytes`, DoGet the encoder's first message and its batches: all from one
/// `Output`, so they are compared as a client would.
#[test]
fn prepare_flight_info_and_the_stream_tell_the_same_schema() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringViewArray::from(vec!["a", "b"])),
        Arc::new(UInt64Array::from(vec![1, 2])),
        Arc::new(TimestampMicrosecondArray::from(vec![1, 2]).with_timezone("+00:00")),
    ];
    let logical = columns.iter().enumerate().map(|(i, c)| field(&format!("c{i}"), c.data_type().clone())).collect();
    let (output, batch) = adapted(logical, columns);
    let promised = Schema::try_from(IpcMessage(schema_bytes(output.schema()).unwrap())).unwrap();
    let mut encoder = Encoder::new(output.schema()).unwrap();
    let flight_data = |message: Message| FlightData {
        data_header: message.header,
        data_body: message.body.concat().into(),
        ..FlightData::default()
    };
    let streamed = Schema::try_from(&flight_data(encoder.schema())).unwrap();
    assert_eq!(promised, streamed);
    assert_eq!(&promised, output.schema().as_ref());
    for part in split(batch) {
        let message = flight_data(encoder.batch(&part).unwrap());
        let decoded =
            arrow_flight::utils::flight_data_to_arrow_batch(&message, Arc::new(streamed.clone()), &Default::default());
        assert_eq!(decoded.unwrap(), part);
    }
}
