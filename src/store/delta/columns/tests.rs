use super::*;

fn stored(data_type: DataType) -> Result<DataType> {
    let columns = storable(&Schema::new(vec![Field::new("c", data_type, true)]), Naming::Statement)?;
    Ok(columns.field(0).data_type().clone())
}

/// Expected values: SQL.md 1 and the list of primitive types in the Delta protocol.
#[test]
fn types_that_delta_lacks_become_the_next_that_holds_all_values() {
    for (incoming, expected) in [
        (DataType::UInt8, DataType::Int16),
        (DataType::UInt16, DataType::Int32),
        (DataType::UInt32, DataType::Int64),
        (DataType::UInt64, DataType::Decimal128(20, 0)),
        (DataType::Float16, DataType::Float32),
        (DataType::Utf8View, DataType::Utf8),
        (DataType::Null, DataType::Utf8),
        (DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8)), DataType::Utf8),
        (
            DataType::Timestamp(TimeUnit::Nanosecond, None),
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ),
        (DataType::Int64, DataType::Int64),
    ] {
        assert_eq!(stored(incoming.clone()).unwrap(), expected, "{incoming}");
    }
}

#[test]
fn types_without_a_place_are_refused_with_what_to_do() {
    for (incoming, remedy) in [
        (DataType::Time64(TimeUnit::Microsecond), "CAST it to TEXT"),
        (DataType::Duration(TimeUnit::Second), "store a number"),
        (DataType::Decimal256(50, 2), "at most 38 digits"),
        (DataType::Decimal128(5, -2), "scale between 0"),
    ] {
        let nested = DataType::List(Arc::new(Field::new("item", incoming.clone(), true)));
        for data_type in [incoming, nested] {
            let message = stored(data_type.clone()).unwrap_err().to_string();
            assert!(message.contains("'c") && message.contains(remedy), "{data_type}: {message}");
        }
    }
}

#[test]
fn names_are_refused_with_the_name_to_use() {
    for (name, offered) in
        [("count(*)", "name it count with"), ("Unit Price", "name it unit_price with"), ("a=b", "a_b")]
    {
        let columns = Schema::new(vec![Field::new(name, DataType::Int64, true)]);
        let message = storable(&columns, Naming::Statement).unwrap_err().to_string();
        assert!(message.contains(offered), "{message}");
    }
    let sent = Schema::new(vec![Field::new("Sent On", DataType::Int64, true)]);
    let message = storable(&sent, Naming::Rows).unwrap_err().to_string();
    assert!(message.ends_with("under this name: rename it in the data that is sent, to sent_on"), "{message}");
    let twins = Schema::new(vec![Field::new("a", DataType::Int64, true), Field::new("A", DataType::Int64, true)]);
    for (naming, offered) in
        [(Naming::Statement, "name it A_2 with AS"), (Naming::Rows, "in the data that is sent, to A_2")]
    {
        let message = storable(&twins, naming).unwrap_err().to_string();
        assert!(message.contains("two columns are named 'A'") && message.ends_with(offered), "{message}");
    }
}
