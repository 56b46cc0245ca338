//! Field columns with several values a row: the path of a category, and identifiers.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, ListBuilder, StringArray, StringBuilder, StructBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields};

use super::super::coerce::trimmed;
use super::super::draft::{PREVIOUS_ID_TYPES, bad_identifier_type, identifier_type, split_levels};
use super::super::field::EventKind;
use super::super::mapping::is_identifier_type;
use super::float_ids::{FloatIds, id_array};
use super::rejects::Rejects;
use super::typed::{text_array, unreadable};
use crate::error::Result;
use crate::ingest::input::identifier_fields;

/// A category from a list of names, from text with '/', or from one column a level. Levels without a name are left out.
pub fn category_array(columns: &[(&str, &ArrayRef)], rows: usize) -> Result<ArrayRef> {
    let mut paths = ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, true));
    if let [(name, column)] = columns
        && let DataType::List(_) = column.data_type()
    {
        return list_category(name, column, paths);
    }
    let texts = columns.iter().map(|(name, column)| text_array(name, column, trimmed));
    let texts: Vec<StringArray> = texts.collect::<Result<_>>()?;
    for row in 0..rows {
        let values = texts.iter().filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row));
        let is_one_text = texts.len() == 1;
        let levels = values.flat_map(|text| if is_one_text { split_levels(text) } else { vec![Cow::Borrowed(text)] });
        push_path(&mut paths, levels);
    }
    Ok(Arc::new(paths.finish()))
}

type PathBuilder = ListBuilder<StringBuilder>;

/// Adds a row; a path without levels is none.
fn push_path<'a>(paths: &mut PathBuilder, levels: impl Iterator<Item = Cow<'a, str>>) {
    let mut has_levels = false;
    for level in levels {
        if let Some(level) = trimmed(&level) {
            paths.values().append_value(level);
            has_levels = true;
        }
    }
    paths.append(has_levels);
}

fn list_category(name: &str, column: &ArrayRef, mut paths: PathBuilder) -> Result<ArrayRef> {
    let lists = column.as_list::<i32>();
    let levels: ArrayRef = Arc::new(text_array(name, lists.values(), trimmed)?);
    let levels = levels.as_string::<i32>();
    let are_paths = (0..lists.len()).all(|row| lists.is_null(row) || lists.value_length(row) > 0);
    // What is right already is passed on: no level was blank, none is missing.
    if levels.null_count() == 0 && are_paths {
        let field = Arc::new(Field::new("element", DataType::Utf8, true));
        let (offsets, nulls) = (lists.offsets().clone(), lists.nulls().cloned());
        return Ok(Arc::new(ListArray::try_new(field, offsets, Arc::new(levels.clone()), nulls)?));
    }
    let offsets = lists.value_offsets();
    for row in 0..lists.len() {
        let range = if lists.is_valid(row) { offsets[row] as usize..offsets[row + 1] as usize } else { 0..0 };
        let present = range.filter(|at| levels.is_valid(*at));
        push_path(&mut paths, present.map(|at| Cow::Borrowed(levels.value(at))));
    }
    Ok(Arc::new(paths.finish()))
}

/// A list column of (type, value) structs, taken apart.
struct GivenIdentifiers {
    lists: ListArray,
    kinds: StringArray,
    values: StringArray,
    /// Where the values are floats.
    floats: Option<FloatIds>,
}

/// Where the identifiers of a row may stand: each column with its name.
pub struct IdentifierColumns<'a> {
    /// A list of (type, value) structs.
    pub list: Option<(&'a str, &'a ArrayRef)>,
    /// (type, name, column) of columns of one type each.
    pub singles: Vec<(&'a str, &'a str, &'a ArrayRef)>,
    /// What an alias links its user to.
    pub previous: Option<(&'a str, &'a ArrayRef)>,
}

/// The identifiers of each row, whose type is in `kinds`.
pub fn identifier_array(
    columns: &IdentifierColumns<'_>,
    kinds: &StringArray,
    rejects: &mut Rejects,
) -> Result<ArrayRef> {
    // A list column without a value has no type of its own where a data frame wrote it.
    let list = columns.list.filter(|(_, column)| column.null_count() < column.len());
    let given = list.map(|(name, column)| GivenIdentifiers::new(name, column)).transpose()?;
    let mut texts = Vec::with_capacity(columns.singles.len());
    for (kind, name, column) in &columns.singles {
        texts.push((*kind, id_array(name, column, rejects)?));
    }
    // What is no text links nobody; it is a property all the same.
    let previous = columns.previous.and_then(|(name, column)| text_array(name, column, trimmed).ok());
    let previous_floats = columns.previous.map(|(_, column)| FloatIds::of(column)).transpose()?.flatten();
    let element = Field::new("element", DataType::Struct(identifier_fields()), true);
    let rows = kinds.len();
    let mut builder = ListBuilder::new(StructBuilder::from_fields(identifier_fields(), rows)).with_field(element);
    for row in 0..rows {
        if let Some(given) = &given {
            let name = list.map_or("identifiers", |(name, _)| name);
            given.check_floats(row, name, rejects);
            for (kind, value) in given.pairs(row) {
                let kind = identifier_type(Cow::Borrowed(kind));
                if !is_identifier_type(&kind) {
                    let _ = rejects.keep::<()>(row, name, Err(bad_identifier_type(&kind)));
                }
                push_identifier(&mut builder, &kind, value);
            }
        }
        for (kind, texts) in texts.iter().filter(|(_, texts)| texts.is_valid(row)) {
            push_identifier(&mut builder, kind, texts.value(row));
        }
        if let Some(previous) = previous.as_ref().filter(|previous| previous.is_valid(row))
            && EventKind::from_name(kinds.value(row)) == Some(EventKind::Alias)
        {
            if let (Some(floats), Some((name, _))) = (&previous_floats, columns.previous) {
                floats.check(row, row, name, rejects);
            }
            PREVIOUS_ID_TYPES.iter().for_each(|kind| push_identifier(&mut builder, kind, previous.value(row)));
        }
        builder.append(true);
    }
    Ok(Arc::new(builder.finish()))
}

fn push_identifier(builder: &mut ListBuilder<StructBuilder>, kind: &str, value: &str) {
    let elements = builder.values();
    for (index, text) in [kind, value].into_iter().enumerate() {
        // The builder was made from `identifier_fields`: two text fields.
        if let Some(texts) = elements.field_builder::<StringBuilder>(index) {
            texts.append_value(text);
        }
    }
    elements.append(true);
}

/// Where a struct has the type and the value of an identifier: by their names, in any case and any order. `None` where it
/// lacks one.
pub fn identifier_places(fields: &Fields) -> Option<[usize; 2]> {
    let place = |name: &str| {
        let exact = fields.iter().position(|field| field.name() == name);
        exact.or_else(|| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name)))
    };
    Some([place("type")?, place("value")?])
}

impl GivenIdentifiers {
    fn new(name: &str, column: &ArrayRef) -> Result<Self> {
        let wrong = || unreadable(name, column.data_type(), "a list of structs with type and value");
        let lists = column.as_list_opt::<i32>().ok_or_else(wrong)?.clone();
        let structs = lists.values().as_struct_opt().ok_or_else(wrong)?;
        let [kinds, values] = identifier_places(structs.fields()).ok_or_else(wrong)?.map(|at| structs.column(at));
        let kinds = text_array(name, &cast(kinds, &DataType::Utf8).map_err(|_| wrong())?, trimmed)?;
        let floats = FloatIds::of(values)?;
        let values = text_array(name, values, trimmed)?;
        Ok(Self { kinds, values, floats, lists })
    }

    fn check_floats(&self, row: usize, name: &str, rejects: &mut Rejects) {
        if let Some(floats) = &self.floats {
            self.places(row).for_each(|at| floats.check(at, row, name, rejects));
        }
    }

    /// The complete pairs of one row: without a type or a value there is no identifier.
    fn pairs(&self, row: usize) -> impl Iterator<Item = (&str, &str)> {
        self.places(row)
            .filter(|at| self.kinds.is_valid(*at) && self.values.is_valid(*at))
            .map(|at| (self.kinds.value(at), self.values.value(at)))
    }

    /// Where the elements of one row are.
    fn places(&self, row: usize) -> Range<usize> {
        let offsets = self.lists.value_offsets();
        if self.lists.is_valid(row) { offsets[row] as usize..offsets[row + 1] as usize } else { 0..0 }
    }
}
