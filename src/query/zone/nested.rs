//! Types that hold instants, also within lists, structs and maps, with another zone for their clock.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};

use super::UTC;

/// The type with `zone` in the place of UTC; none where it holds no instant.
pub(in crate::query) fn in_zone(data_type: &DataType, zone: &str) -> Option<DataType> {
    let within = |field: &FieldRef| {
        let inner = in_zone(field.data_type(), zone)?;
        Some(Arc::new(field.as_ref().clone().with_data_type(inner)))
    };
    match data_type {
        DataType::Timestamp(unit, Some(held)) if held.as_ref() == UTC => {
            Some(DataType::Timestamp(*unit, Some(zone.into())))
        }
        DataType::List(item) => within(item).map(DataType::List),
        DataType::LargeList(item) => within(item).map(DataType::LargeList),
        DataType::FixedSizeList(item, length) => within(item).map(|item| DataType::FixedSizeList(item, *length)),
        DataType::Map(entries, sorted) => within(entries).map(|entries| DataType::Map(entries, *sorted)),
        DataType::Struct(fields) => {
            let changed: Vec<Option<FieldRef>> = fields.iter().map(within).collect();
            let any = changed.iter().any(Option::is_some);
            let all = fields.iter().zip(changed).map(|(field, changed)| changed.unwrap_or_else(|| Arc::clone(field)));
            any.then(|| DataType::Struct(all.collect()))
        }
        _ => None,
    }
}
