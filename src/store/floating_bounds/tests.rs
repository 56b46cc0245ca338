use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use arrow::datatypes::{DataType, Field, Float64Type};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;

use super::*;

/// Leaves of [`rows`]: DOUBLE, REAL, a DOUBLE in a struct, one in lists.
const FLOATING: [usize; 4] = [1, 2, 3, 5];
/// BIGINT, a BIGINT in the struct, text.
const OTHERS: [usize; 3] = [0, 4, 6];

fn rows() -> RecordBatch {
    let doubles = || Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN), None, Some(2.0)])) as ArrayRef;
    let numbers = || Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef;
    let reals = Arc::new(Float32Array::from(vec![1.0, f32::NAN, 3.0, 4.0])) as ArrayRef;
    let record = StructArray::from(vec![
        (Arc::new(Field::new("x", DataType::Float64, true)), doubles()),
        (Arc::new(Field::new("k", DataType::Int64, true)), numbers()),
    ]);
    let lists = [1.0, f64::NAN, 3.0, 4.0].map(|value| Some([Some(value)]));
    let lists = ListArray::from_iter_primitive::<Float64Type, _, _>(lists);
    let texts = Arc::new(StringArray::from(vec!["a", "b", "c", "d"])) as ArrayRef;
    RecordBatch::try_from_iter([
        ("id", numbers()),
        ("f", doubles()),
        ("r", reals),
        ("s", Arc::new(record) as ArrayRef),
        ("l", Arc::new(lists) as ArrayRef),
        ("t", texts),
    ])
    .unwrap()
}

/// Two row groups of two rows, with bounds of their pages unless left out.
fn file(properties: WriterPropertiesBuilder) -> Bytes {
    let rows = rows();
    let properties = properties.set_max_row_group_row_count(Some(2)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    Bytes::from(writer.into_inner().unwrap())
}

fn footer(file: &Bytes, policy: PageIndexPolicy) -> ParquetMetaData {
    ParquetMetaDataReader::new().with_page_index_policy(policy).parse_and_finish(file).unwrap()
}

fn is_bounded_in_pages(footer: &ParquetMetaData, group: usize, leaf: usize) -> bool {
    !matches!(footer.column_index().unwrap()[group][leaf], ColumnIndexMetaData::NONE)
}

#[test]
fn what_an_earlier_program_wrote_is_hidden() {
    let file = file(WriterProperties::builder());
    let written = footer(&file, PageIndexPolicy::Required);
    let shown = hide(&written).unwrap().unwrap();
    assert_eq!(shown.num_row_groups(), 2);
    for group in 0..2 {
        for leaf in FLOATING {
            assert!(is_bounded(written.row_group(group).column(leaf)), "leaf {leaf}");
            assert!(is_bounded_in_pages(&written, group, leaf), "leaf {leaf}");
            let chunk = shown.row_group(group).column(leaf);
            assert!(!is_bounded(chunk) && !is_bounded_in_pages(&shown, group, leaf), "leaf {leaf}");
            let nulls = |footer: &ParquetMetaData| footer.row_group(group).column(leaf).statistics()?.null_count_opt();
            assert_eq!(nulls(&shown), nulls(&written), "leaf {leaf}");
            assert!(nulls(&shown).is_some(), "leaf {leaf}");
        }
        for leaf in OTHERS {
            assert_eq!(shown.row_group(group).column(leaf), written.row_group(group).column(leaf));
            assert!(is_bounded_in_pages(&shown, group, leaf), "leaf {leaf}");
        }
    }
    assert_eq!(shown.offset_index(), written.offset_index());
    assert_eq!(hide(&shown).unwrap(), None);
}

/// DataFusion may read a footer, and the bounds of its pages later.
#[test]
fn pages_that_are_looked_at_later_have_no_bounds_either() {
    let file = file(WriterProperties::builder());
    let shown = hide(&footer(&file, PageIndexPolicy::Skip)).unwrap().unwrap();
    assert!(shown.column_index().is_none());
    let mut reader = ParquetMetaDataReader::new_with_metadata(shown).with_page_index_policy(PageIndexPolicy::Optional);
    reader.read_page_indexes(&file).unwrap();
    let later = reader.finish().unwrap();
    for group in 0..2 {
        FLOATING.iter().for_each(|leaf| assert!(!is_bounded_in_pages(&later, group, *leaf), "leaf {leaf}"));
        OTHERS.iter().for_each(|leaf| assert!(is_bounded_in_pages(&later, group, *leaf), "leaf {leaf}"));
    }
}

#[test]
fn what_is_written_now_has_nothing_to_hide() {
    let file = file(leave_out(WriterProperties::builder(), &rows().schema()).unwrap());
    let written = footer(&file, PageIndexPolicy::Optional);
    assert_eq!(hide(&written).unwrap(), None);
    for group in 0..2 {
        FLOATING.iter().for_each(|leaf| assert!(!is_bounded(written.row_group(group).column(*leaf)), "leaf {leaf}"));
        OTHERS.iter().for_each(|leaf| assert!(is_bounded(written.row_group(group).column(*leaf)), "leaf {leaf}"));
    }
    // Pages are found all the same: without this no page would be skipped by any column.
    assert!(written.offset_index().is_some());
}
