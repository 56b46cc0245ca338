//! How large a batch is when its dictionaries and views are plain columns: a short message can name one long text many
//! times. Must not know what the columns mean.

use arrow::array::{AnyDictionaryArray, Array, ArrayRef, AsArray, GenericListArray, OffsetSizeTrait, RecordBatch};
use arrow::datatypes::DataType;

/// Bytes of the columns as plain texts, numbers and lists.
pub(super) fn expanded_bytes(batch: &RecordBatch) -> usize {
    sum(batch.columns())
}

fn sum(columns: &[ArrayRef]) -> usize {
    columns.iter().map(column_bytes).fold(0, usize::saturating_add)
}

fn column_bytes(column: &ArrayRef) -> usize {
    if let Some(dictionary) = column.as_any_dictionary_opt() {
        return dictionary_bytes(dictionary);
    }
    if let Some(views) = column.as_string_view_opt() {
        return views.iter().map(text_bytes).sum();
    }
    if let Some(lists) = column.as_list_opt::<i32>() {
        return list_bytes(lists);
    }
    if let Some(lists) = column.as_list_opt::<i64>() {
        return list_bytes(lists);
    }
    if let Some(parts) = column.as_struct_opt() {
        return sum(parts.columns());
    }
    column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
}

fn list_bytes<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> usize {
    let offsets = lists.value_offsets();
    let place = |offset: Option<&O>| offset.map_or(0, |offset| offset.as_usize());
    let (start, end) = (place(offsets.first()), place(offsets.last()));
    size_of_val(offsets).saturating_add(column_bytes(&lists.values().slice(start, end.saturating_sub(start))))
}

/// A value counts as often as it is named.
fn dictionary_bytes(dictionary: &dyn AnyDictionaryArray) -> usize {
    if dictionary.values().is_empty() {
        return 0;
    }
    let bytes = texts_bytes(dictionary.values());
    let places = dictionary.normalized_keys().into_iter().enumerate();
    let named = places.filter(|(row, _)| dictionary.keys().is_valid(*row)).filter_map(|(_, place)| bytes.get(place));
    named.fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// Of each text of a dictionary; a dictionary has texts alone.
fn texts_bytes(values: &ArrayRef) -> Vec<usize> {
    match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().iter().map(text_bytes).collect(),
        DataType::LargeUtf8 => values.as_string::<i64>().iter().map(text_bytes).collect(),
        DataType::Utf8View => values.as_string_view().iter().map(text_bytes).collect(),
        _ => Vec::new(),
    }
}

fn text_bytes(text: Option<&str>) -> usize {
    text.map_or(0, str::len)
}

#[cfg(test)]
mod tests;
