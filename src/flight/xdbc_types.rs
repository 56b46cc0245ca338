//! GetXdbcTypeInfo: the SQL types that results and parameters have, under the names that columns carry. Power BI asks.

use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

use crate::error::{Error, Result};

/// (name, xdbc type, column size)
const TYPES: [(&str, XdbcDataType, Option<i32>); 19] = [
    ("BOOLEAN", XdbcDataType::XdbcBit, Some(1)),
    ("TINYINT", XdbcDataType::XdbcTinyint, Some(3)),
    ("SMALLINT", XdbcDataType::XdbcSmallint, Some(5)),
    ("INTEGER", XdbcDataType::XdbcInteger, Some(10)),
    ("BIGINT", XdbcDataType::XdbcBigint, Some(19)),
    ("REAL", XdbcDataType::XdbcReal, Some(7)),
    ("DOUBLE", XdbcDataType::XdbcDouble, Some(15)),
    ("DECIMAL", XdbcDataType::XdbcDecimal, Some(38)),
    ("VARCHAR", XdbcDataType::XdbcVarchar, None),
    ("JSON", XdbcDataType::XdbcVarchar, None),
    ("VARBINARY", XdbcDataType::XdbcVarbinary, None),
    ("BINARY", XdbcDataType::XdbcBinary, None),
    ("ROARING", XdbcDataType::XdbcVarbinary, None),
    ("DATE", XdbcDataType::XdbcDate, Some(10)),
    ("TIME", XdbcDataType::XdbcTime, Some(15)),
    ("TIMESTAMP", XdbcDataType::XdbcTimestamp, Some(26)),
    ("TIMESTAMP WITH TIME ZONE", XdbcDataType::XdbcTimestamp, Some(32)),
    ("INTERVAL", XdbcDataType::XdbcInterval, None),
    ("ARRAY", XdbcDataType::XdbcUnknownType, None),
];

/// Built once for a server.
pub(super) fn xdbc_types() -> Result<XdbcTypeInfoData> {
    let mut builder = XdbcTypeInfoDataBuilder::new();
    for (name, data_type, column_size) in TYPES {
        builder.append(type_info(name, data_type, column_size));
    }
    builder.build().map_err(|error| Error::internal(error.to_string()))
}

fn type_info(name: &str, data_type: XdbcDataType, column_size: Option<i32>) -> XdbcTypeInfo {
    use XdbcDataType as X;
    let text = matches!(data_type, X::XdbcVarchar);
    let quoted = text || matches!(data_type, X::XdbcDate | X::XdbcTime | X::XdbcTimestamp);
    let binary = matches!(data_type, X::XdbcVarbinary | X::XdbcBinary);
    let whole = matches!(data_type, X::XdbcTinyint | X::XdbcSmallint | X::XdbcInteger | X::XdbcBigint);
    let number = whole || matches!(data_type, X::XdbcReal | X::XdbcDouble | X::XdbcDecimal);
    let decimal = matches!(data_type, X::XdbcDecimal);
    let is_instant = matches!(data_type, X::XdbcDate | X::XdbcTime | X::XdbcTimestamp);
    let prefix = match (quoted, binary) {
        (true, _) => Some("'"),
        (_, true) => Some("X'"),
        _ => None,
    };
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type,
        column_size,
        literal_prefix: prefix.map(str::to_owned),
        literal_suffix: prefix.map(|_| "'".to_owned()),
        create_params: decimal.then(|| vec!["precision".to_owned(), "scale".to_owned()]),
        nullable: Nullable::NullabilityNullable,
        case_sensitive: text,
        searchable: if data_type == X::XdbcUnknownType { Searchable::None } else { Searchable::Full },
        unsigned_attribute: number.then_some(false),
        fixed_prec_scale: whole,
        auto_increment: number.then_some(false),
        local_type_name: Some(name.to_owned()),
        minimum_scale: decimal.then_some(0),
        maximum_scale: decimal.then_some(38),
        sql_data_type: if is_instant { X::XdbcDatetime } else { data_type },
        datetime_subcode: subcode(name),
        num_prec_radix: number.then_some(10),
        interval_precision: None,
    }
}

fn subcode(name: &str) -> Option<XdbcDatetimeSubcode> {
    match name {
        "DATE" => Some(XdbcDatetimeSubcode::XdbcSubcodeYear),
        "TIME" => Some(XdbcDatetimeSubcode::XdbcSubcodeTime),
        "TIMESTAMP" => Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp),
        "TIMESTAMP WITH TIME ZONE" => Some(XdbcDatetimeSubcode::XdbcSubcodeTimestampWithTimezone),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_types_are_listed_and_can_be_filtered() {
        let types = xdbc_types().unwrap();
        assert_eq!(types.record_batch(None).unwrap().num_rows(), TYPES.len());
        assert_eq!(types.record_batch(XdbcDataType::XdbcVarchar as i32).unwrap().num_rows(), 2);
    }
}
