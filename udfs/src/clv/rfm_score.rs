//! `rfm_score(value, breaks [, 'higher'|'lower'])` and `rfm_segment(r, f)`.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, Float64Array, Int64Builder, ListArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::{Argument, Kind, coerce, numbers, refused};
use super::rfm_breaks::breaks_type;

const SCORE: &str = "rfm_score";
const SCORE_SIGNATURE: &str = "rfm_score(value, breaks [, 'higher'|'lower'])";
const SEGMENT: &str = "rfm_segment";
const SEGMENT_ARGUMENTS: [Argument; 2] = [("r", Kind::Integer), ("f", Kind::Integer)];

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Score {
    signature: Signature,
}

impl Score {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// Groups are counted from 1; a value equal to a break belongs below it.
fn score(value: f64, breaks: &[f64], higher_is_better: bool) -> i64 {
    let below = breaks.partition_point(|limit| *limit < value) as i64;
    if higher_is_better { below + 1 } else { breaks.len() as i64 + 1 - below }
}

/// A column of breaks. Neighbours are mostly equal and then checked once.
struct Breaks<'a> {
    lists: &'a ListArray,
    values: &'a Float64Array,
    checked: &'a [f64],
}

impl<'a> Breaks<'a> {
    fn new(lists: &'a ListArray) -> Self {
        Self { lists, values: lists.values().as_primitive(), checked: &[] }
    }

    /// Those of a row.
    ///
    /// # Errors
    /// For breaks that do not ascend or have a NULL.
    fn of(&mut self, row: usize) -> Result<Option<&'a [f64]>> {
        if self.lists.is_null(row) {
            return Ok(None);
        }
        let offsets = self.lists.value_offsets();
        let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
        let has_null = self.values.null_count() > 0 && (start..end).any(|place| self.values.is_null(place));
        let breaks = &self.values.values()[start..end];
        if has_null || (breaks != self.checked && !breaks.is_sorted()) {
            return exec_err!("{SCORE}: argument 2 (breaks) must be ascending numbers, as rfm_breaks returns them");
        }
        self.checked = breaks;
        Ok(Some(breaks))
    }
}

/// Whether high values are good; `None` for NULL.
fn higher_is_better(direction: Option<&str>) -> Result<Option<bool>> {
    match direction {
        None => Ok(None),
        Some("higher") => Ok(Some(true)),
        Some("lower") => Ok(Some(false)),
        Some(other) => exec_err!("{SCORE}: argument 3 (direction) is '{other}'; use 'higher' or 'lower'"),
    }
}

impl ScalarUDFImpl for Score {
    fn name(&self) -> &str {
        SCORE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let list = |kind: &DataType| {
            matches!(kind, DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) | DataType::Null)
        };
        let number = |kind: &DataType| kind.is_numeric() || *kind == DataType::Null;
        match given {
            [value, breaks] if number(value) && list(breaks) => Ok(vec![DataType::Float64, breaks_type()]),
            [value, breaks, direction] if number(value) && list(breaks) && direction.is_string() => {
                Ok(vec![DataType::Float64, breaks_type(), DataType::Utf8])
            }
            _ => plan_err!("{SCORE_SIGNATURE}: a number, a list of numbers and a text are needed, not {given:?}"),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let values = numbers(&args.args[0].to_array(rows)?)?;
        let one = matches!(args.args[1], ColumnarValue::Scalar(_));
        let lists = cast(&args.args[1].to_array(if one { 1 } else { rows })?, &breaks_type())?;
        let mut breaks = Breaks::new(lists.as_list());
        // Mostly a constant, read once; else a column.
        let (constant, column) = match args.args.get(2) {
            None => (Some(true), None),
            Some(ColumnarValue::Scalar(text)) if rows > 0 => (higher_is_better(text.try_as_str().flatten())?, None),
            Some(column) => (None, Some(column.to_array(rows)?)),
        };
        let column = column.as_ref().map(|column| column.as_string::<i32>());
        let mut scores = Int64Builder::with_capacity(rows);
        for row in 0..rows {
            let higher = match column {
                None => constant,
                Some(column) => higher_is_better((!column.is_null(row)).then(|| column.value(row)))?,
            };
            match (breaks.of(if one { 0 } else { row })?, higher) {
                (Some(breaks), Some(higher)) if !values.is_null(row) => {
                    scores.append_value(score(values.value(row), breaks, higher));
                }
                _ => scores.append_null(),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(scores.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The group of a value, from 1 to one more than there are breaks; the highest is the best. Equal values have \
                 one score.",
                SCORE_SIGNATURE,
            )
            .with_argument("value", "a number")
            .with_argument("breaks", "what rfm_breaks returned")
            .with_argument("direction", "'higher' (default): large values are good; 'lower': small ones, as days since the last order")
            .with_sql_example("SELECT rfm_score(3, [1, 2, 5, 9]), rfm_score(3, [1, 2, 5, 9], 'lower')")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Segment {
    signature: Signature,
}

impl Segment {
    pub(super) fn new() -> Self {
        Self { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

/// The segment of a recency and a frequency score, both from 1 to 5.
fn segment(recency: i64, frequency: i64) -> &'static str {
    match (frequency, recency) {
        (4.., 4..) => "champions",
        (4.., 3) => "loyal",
        (4.., 2) => "at_risk",
        (4.., _) => "cannot_lose",
        (3, 4..) => "potential_loyal",
        (3, 3) => "needs_attention",
        (3, _) => "at_risk",
        (2, 4..) => "potential_loyal",
        (2, 3) => "about_to_sleep",
        (2, 2) => "hibernating",
        (2, _) => "lost",
        (_, 5..) => "new",
        (_, 4) => "promising",
        (_, 3) => "about_to_sleep",
        (_, 2) => "hibernating",
        _ => "lost",
    }
}

impl ScalarUDFImpl for Segment {
    fn name(&self) -> &str {
        SEGMENT
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(SEGMENT, &SEGMENT_ARGUMENTS, 2, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scores = |place: usize| args.args[place].to_array(args.number_rows);
        let (recency, frequency) = (scores(0)?, scores(1)?);
        let (recency, frequency) = (recency.as_primitive::<Int64Type>(), frequency.as_primitive::<Int64Type>());
        let mut names = StringBuilder::new();
        for (recency, frequency) in recency.iter().zip(frequency.iter()) {
            let (Some(recency), Some(frequency)) = (recency, frequency) else {
                names.append_null();
                continue;
            };
            for (place, argument, score) in [(1, "r", recency), (2, "f", frequency)] {
                if !(1..=5).contains(&score) {
                    return Err(refused(SEGMENT, place, argument, score as f64, "it is a score from 1 to 5"));
                }
            }
            names.append_value(segment(recency, frequency));
        }
        Ok(ColumnarValue::Array(Arc::new(names.finish())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            Documentation::builder(
                DocSection::default(),
                "The named segment of a recency and a frequency score: champions, loyal, potential_loyal, new, promising, \
                 needs_attention, about_to_sleep, hibernating, at_risk, cannot_lose or lost.",
                "rfm_segment(r, f)",
            )
            .with_argument("r", "recency score from 1 to 5, 5 for the most recent")
            .with_argument("f", "frequency score from 1 to 5, 5 for the most frequent")
            .with_sql_example("SELECT rfm_segment(5, 1)")
            .build()
        });
        Some(&DOCUMENTATION)
    }
}
