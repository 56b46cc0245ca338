//! Parameters of a statement: what clients are told of their types at Prepare, and how bound values come into the plan.
//!
//! A place that gives a type, such as one beside a column, has the value cast to it, unless the value would lose
//! something. Everywhere else a parameter has the type of the value: the statement is planned again with the types of
//! what is bound.

mod arguments;
mod places;
mod stand_in;
mod values;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use chrono_tz::Tz;
use datafusion::common::{ParamValues, Result as DfResult, ScalarValue};
use datafusion::logical_expr::LogicalPlan;

use self::places::{Place, Places, declared_type};
pub(super) use self::stand_in::{PlanningParameters, put_stand_ins, take_stand_ins};
use self::values::to_place;
use super::functions::numbers::{one_zero_value, sql_name};
use super::table_functions;
use crate::error::{Error, Result};

/// Of a value in a message.
const SHOWN_CHARACTERS: usize = 60;

/// What planning found out of the parameters of a statement, and the types that it was planned with.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    declared: Vec<FieldRef>,
    places: Vec<Option<Place>>,
    /// Of the values that the statement was planned for; `None` where the place alone gives the type.
    types: Vec<Option<DataType>>,
    /// Of the session: times that name no zone are read in it.
    zone: Tz,
}

impl Parameters {
    /// The parameters of a plan that has `count` of them, and whether all of them stand in the plan itself: the others are
    /// in arguments of table functions. Where nothing tells a type, it is `assumed`; JDBC must be told one, and gets text.
    pub(super) fn of(plan: &LogicalPlan, count: usize, assumed: Option<&DataType>, zone: Tz) -> Result<(Self, bool)> {
        if count == 0 {
            // Most statements: their plan need not be walked.
            return Ok((Self::default(), true));
        }
        let ids: Vec<String> = (1..=count).map(|number| format!("${number}")).collect();
        let mut places = Places::default();
        places.read(plan)?;
        let all_in_plan = ids.iter().all(|id| places.met(id));
        // The subqueries of table functions come last: the statement itself knows better.
        for subquery in table_functions::subqueries_of(plan)? {
            places.read(&stand_in::placeholders(subquery.as_ref().clone())?)?;
        }
        let hints: Vec<_> = ids.iter().map(|id| places.hint(id).or_else(|| assumed.cloned())).collect();
        let declared = |(id, hint): (&String, &Option<DataType>)| {
            let data_type = declared_type(hint.clone().unwrap_or(DataType::Utf8));
            Arc::new(Field::new(id, data_type, true))
        };
        let parameters = Self {
            declared: ids.iter().zip(&hints).map(declared).collect(),
            places: ids.iter().map(|id| places.place(id)).collect(),
            types: vec![None; count],
            zone,
        };
        Ok((parameters, all_in_plan))
    }

    /// One field a parameter, in order `$1`, `$2`, ...: what a client that must be told a type may bind.
    pub fn declared(&self) -> &[FieldRef] {
        &self.declared
    }

    /// Whether all of them stand in this plan.
    pub(super) fn all_in(&self, plan: &LogicalPlan) -> Result<bool> {
        let mut places = Places::default();
        places.read(plan)?;
        Ok((1..=self.count()).all(|number| places.met(&format!("${number}"))))
    }

    pub fn count(&self) -> usize {
        self.declared.len()
    }

    /// The types of the values that the statement was planned for.
    pub(super) fn types(&self) -> &[Option<DataType>] {
        &self.types
    }

    /// The same parameters of a statement that is planned with types of values.
    pub(super) fn with_types(&self, types: Vec<Option<DataType>>) -> Self {
        Self { types, ..self.clone() }
    }

    /// The types that the statement has to be planned with for these rows of values.
    ///
    /// # Errors
    /// `InvalidInput` for a wrong number of values, or one that its place cannot take.
    pub(super) fn types_for(&self, rows: &[Vec<ScalarValue>]) -> Result<Vec<Option<DataType>>> {
        for row in rows {
            check_count(self.count(), row.len())?;
        }
        let column = |index: usize| rows.iter().filter_map(move |row| row.get(index));
        self.places
            .iter()
            .enumerate()
            .map(|(index, place)| type_for(index + 1, place.as_ref(), column(index), self.zone))
            .collect()
    }

    /// The types, but none of a parameter that is NULL in all rows.
    pub(super) fn without_nulls(types: &[Option<DataType>], rows: &[Vec<ScalarValue>]) -> Vec<Option<DataType>> {
        let is_null = |index: usize| rows.iter().filter_map(|row| row.get(index)).all(ScalarValue::is_null);
        let places = types.iter().enumerate();
        places
            .map(|(index, own)| own.as_ref().map(|own| if is_null(index) { DataType::Null } else { own.clone() }))
            .collect()
    }

    /// A row of values as the plan takes them.
    ///
    /// # Errors
    /// As [`Parameters::types_for`].
    pub(super) fn arrange(&self, row: &[ScalarValue]) -> Result<Vec<ScalarValue>> {
        check_count(self.count(), row.len())?;
        let places = self.places.iter().zip(&self.types);
        let arranged = row.iter().zip(places).enumerate().map(|(index, (value, (place, own)))| {
            let value = one_zero_value(value)?;
            match (own, place) {
                (Some(own), _) if value.is_null() => Ok(ScalarValue::try_new_null(own)?),
                (Some(_), _) | (None, None) => Ok(value),
                (None, Some(place)) => Ok(at_place(index + 1, place, &value, self.zone)?.unwrap_or(value)),
            }
        });
        arranged.collect()
    }

    /// The plan with a row of values.
    ///
    /// # Errors
    /// As [`Parameters::types_for`].
    pub(super) fn bind(&self, plan: LogicalPlan, row: &[ScalarValue]) -> Result<LogicalPlan> {
        if self.count() == 0 && row.is_empty() {
            return Ok(plan);
        }
        Ok(plan.with_param_values(ParamValues::from(self.arrange(row)?))?)
    }
}

/// The plan of a subquery in the arguments of a table function with a value in the place of each parameter.
pub(super) fn with_values(plan: LogicalPlan, values: Vec<ScalarValue>) -> DfResult<LogicalPlan> {
    stand_in::placeholders(plan)?.with_param_values(ParamValues::from(values))
}

/// Whether a plan has a parameter.
pub(super) fn has_parameter(plan: &LogicalPlan) -> DfResult<bool> {
    let mut places = Places::default();
    places.read(&stand_in::placeholders(plan.clone())?)?;
    Ok(places.any())
}

/// The value of parameter `$n`.
pub(super) fn value_of<'a>(id: &str, values: &'a [ScalarValue]) -> Option<&'a ScalarValue> {
    let number = id.trim_start_matches('$').parse::<usize>().ok()?;
    values.get(number.checked_sub(1)?)
}

/// The type of its values that a parameter must be planned with; `None` where all fit its place.
fn type_for<'a>(
    number: usize,
    place: Option<&Place>,
    values: impl Iterator<Item = &'a ScalarValue> + Clone,
    zone: Tz,
) -> Result<Option<DataType>> {
    if let Some(place) = place {
        let mut fits = true;
        for value in values.clone() {
            fits &= at_place(number, place, &one_zero_value(value)?, zone)?.is_some();
        }
        if fits {
            return Ok(None);
        }
    }
    let mut own = DataType::Null;
    for data_type in values.map(ScalarValue::data_type).filter(|data_type| !data_type.is_null()) {
        if !own.is_null() && own != data_type {
            return Err(Error::invalid(format!(
                "the rows of values for parameter ${number} hold {own} and {data_type}: bind values of one type, or \
                 each row by itself"
            )));
        }
        own = data_type;
    }
    Ok(Some(own))
}

/// The value in the type of its place; `None` where it is compared as what it is.
fn at_place(number: usize, place: &Place, value: &ScalarValue, zone: Tz) -> Result<Option<ScalarValue>> {
    let data_type = place.data_type();
    let shown = || -> String { shown_as_text(value).chars().take(SHOWN_CHARACTERS).collect() };
    if matches!(place, Place::Ordered(_)) && data_type.is_string() && value.data_type().is_numeric() && !value.is_null()
    {
        return Err(Error::invalid(format!(
            "the value of parameter ${number} is the number {}, and the other side is a text: bind a text, or write \
             CAST(x AS DOUBLE) of the text where each of them is a number",
            shown()
        )));
    }
    let refused = || {
        let shown = shown();
        let remedy = remedy(number, &value.data_type(), data_type);
        let name = sql_name(data_type);
        Error::invalid(format!("the value of parameter ${number} is {shown}, which is no {name}: {remedy}"))
    };
    match (to_place(value, data_type, zone), place) {
        (Ok(Some(value)), _) => Ok(Some(value)),
        (Ok(None), Place::Compared(_) | Place::Ordered(_)) => Ok(None),
        (Ok(None), Place::Stored(_)) => Err(refused()),
        (Err(error), _) => Err(refused().with_source(error)),
    }
}

/// A time as it is written, and not as what it counts.
fn shown_as_text(value: &ScalarValue) -> String {
    let text = value.data_type().is_temporal().then(|| value.cast_to(&DataType::Utf8).ok()).flatten();
    match text {
        Some(ScalarValue::Utf8(Some(text))) => text,
        _ => value.to_string(),
    }
}

fn remedy(number: usize, given: &DataType, data_type: &DataType) -> String {
    match data_type {
        DataType::Date32 | DataType::Date64 if matches!(given, DataType::Timestamp(..)) => {
            format!("bind a day without a time, or write CAST(${number} AS DATE) for the day of it")
        }
        DataType::Interval(_) | DataType::Duration(_) => format!(
            "bind a length of time, or write CAST(${number} AS INTERVAL) and bind a text with its units, such as \
             '1 day 02:30'"
        ),
        _ => format!("bind a value of this type, or say how it becomes one, such as CAST(round(${number}) AS ...)"),
    }
}

fn check_count(declared: usize, given: usize) -> Result<()> {
    if declared != given {
        return Err(Error::invalid(format!("the statement has {declared} parameters, {given} values were given")));
    }
    Ok(())
}
