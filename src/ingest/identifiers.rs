//! The usable identifiers of a batch's events, row by row: those of nobody and those that are too long are left out, and
//! each stands once a row.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StringArray, StringBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};

use super::input_columns::{InputColumns, Texts};
use super::omissions::Tally;
use crate::error::{Error, Result};
use crate::identity::{IdentifierTypes, Rulebook, TypeId, Usable};
use crate::store::events::schema;

/// Longest identifier in bytes.
const MAX_BYTES: usize = 512;

/// An identifier that is left out of a row that is kept.
pub(super) struct LongIdentifier {
    pub(super) row: i64,
    kind: String,
}

impl LongIdentifier {
    pub(super) fn reason(&self) -> String {
        format!("an identifier of type {} is longer than {MAX_BYTES} bytes: it is left out", self.kind)
    }
}

pub(super) struct Identifiers {
    types: Arc<IdentifierTypes>,
    /// Where the identifiers of a row end.
    ends: Vec<usize>,
    kinds: Vec<TypeId>,
    values: StringArray,
    pub(super) blocked: Tally,
    /// In the order of their rows.
    pub(super) too_long: Vec<LongIdentifier>,
}

impl Identifiers {
    /// # Errors
    /// `InvalidInput` for a type that there is not.
    pub(super) fn of(rows: &InputColumns<'_>, rulebook: &Rulebook) -> Result<Self> {
        let types = rulebook.types();
        let mut ends = Vec::with_capacity(rows.len());
        let mut kinds = Vec::with_capacity(rows.len());
        let mut values = StringBuilder::new();
        let mut of_nobody = Tally::default();
        let mut too_long = Vec::new();
        let mut of_row: Vec<(TypeId, Cow<'_, str>)> = Vec::new();
        for row in 0..rows.len() {
            of_row.clear();
            let own = [(IdentifierTypes::USER_ID, rows.user_id), (IdentifierTypes::ANONYMOUS_ID, rows.anonymous_id)];
            let own = own.into_iter().filter_map(|(kind, texts)| Some(Ok((kind, texts.at(row)?))));
            let listed = rows.identifiers_of(row).map(|(kind, value)| Ok::<_, Error>((types.id(kind)?, value)));
            for identifier in own.chain(listed) {
                let (kind, value) = identifier?;
                if value.len() > MAX_BYTES {
                    too_long.push(LongIdentifier { row: rows.row_number(row), kind: types.name(kind).to_owned() });
                    continue;
                }
                let Usable::As(spelled) = rulebook.usable(kind, value) else {
                    of_nobody.add(value);
                    continue;
                };
                if !of_row.iter().any(|(known, held)| *known == kind && *held == spelled) {
                    kinds.push(kind);
                    values.append_value(&spelled);
                    of_row.push((kind, spelled));
                }
            }
            ends.push(kinds.len());
        }
        Ok(Self { types: Arc::clone(types), ends, kinds, values: values.finish(), blocked: of_nobody, too_long })
    }

    /// Those of each row, the row's own columns first.
    pub(super) fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = (TypeId, &str)>> {
        (0..self.ends.len()).map(|row| self.range(row).map(|at| (self.kinds[at], self.values.value(at))))
    }

    fn range(&self, row: usize) -> Range<usize> {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[row]
    }

    /// Keeps those of the rows at these places, in their order.
    pub(super) fn keep(&mut self, places: &[usize]) {
        let (mut ends, mut kinds, mut values) = (Vec::new(), Vec::new(), StringBuilder::new());
        for at in places.iter().flat_map(|row| {
            let range = self.range(*row);
            ends.push(ends.last().copied().unwrap_or(0) + range.len());
            range
        }) {
            kinds.push(self.kinds[at]);
            values.append_value(self.values.value(at));
        }
        (self.ends, self.kinds, self.values) = (ends, kinds, values.finish());
    }

    /// As they are stored.
    pub(super) fn column(&self) -> Result<ArrayRef> {
        let kinds = StringArray::from_iter_values(self.kinds.iter().map(|kind| self.types.name(*kind)));
        let parts: Vec<ArrayRef> = vec![Arc::new(kinds), Arc::new(self.values.clone())];
        let elements = StructArray::try_new(schema::identifier_fields(), parts, None)?;
        let element = Arc::new(Field::new("element", DataType::Struct(schema::identifier_fields()), true));
        let offsets = OffsetBuffer::from_lengths((0..self.ends.len()).map(|row| self.range(row).len()));
        Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(elements), None)?))
    }
}

/// Why an identifier of the list cannot be kept.
pub(super) fn identifier_fault(types: &IdentifierTypes, kind: &str) -> Option<String> {
    types.id(kind).err().map(|error| format!("column 'identifiers': {error}"))
}

/// A column of identifiers as it is stored: without those that are too long.
pub(super) fn without_long(column: Texts<'_>) -> ArrayRef {
    if column.0.iter().flatten().all(|text| text.len() <= MAX_BYTES) {
        return Arc::new(column.0.clone());
    }
    Arc::new(column.0.iter().map(|text| text.filter(|text| text.len() <= MAX_BYTES)).collect::<StringArray>())
}
