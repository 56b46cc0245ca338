//! The struct that a fit returns, readable by SQL and by the prediction functions. Parameters that a model lacks, and all
//! of them where the fit did not converge, are NULL.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray, StructArray};
use arrow::compute::{cast, is_null, partition};
use arrow::datatypes::{DataType, Field, Fields, Float64Type};
use datafusion::common::{Result, ScalarValue, exec_err};

use super::fit::Fit;
use super::model::{Family, GammaGamma, Model};

/// Version of the structs; grows when a field changes its meaning.
pub(super) const VERSION: i64 = 1;

/// Units of time, with their length in days; `period` has none.
pub(super) const UNITS: [&str; 4] = ["day", "week", "month", "period"];

const PARAMETERS: [&str; 8] = ["r", "alpha", "a", "b", "s", "beta", "gamma", "delta"];

/// Fields of a purchase model.
pub(super) fn purchase_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        let mut fields = vec![
            Field::new("version", DataType::Int64, true),
            Field::new("model", DataType::Utf8, true),
            Field::new("unit", DataType::Utf8, true),
        ];
        fields.extend(PARAMETERS.map(|name| Field::new(name, DataType::Float64, true)));
        fields.extend([
            Field::new("n", DataType::Int64, true),
            Field::new("n_zero", DataType::Int64, true),
            Field::new("log_likelihood", DataType::Float64, true),
            Field::new("converged", DataType::Boolean, true),
            Field::new("iterations", DataType::Int64, true),
        ]);
        Fields::from(fields)
    });
    FIELDS.clone()
}

/// Fields of a spend model.
pub(super) fn spend_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        let mut fields = vec![Field::new("version", DataType::Int64, true), Field::new("model", DataType::Utf8, true)];
        fields.extend(["p", "q", "v"].map(|name| Field::new(name, DataType::Float64, true)));
        fields.extend([
            Field::new("n", DataType::Int64, true),
            Field::new("n_skipped", DataType::Int64, true),
            Field::new("log_likelihood", DataType::Float64, true),
            Field::new("converged", DataType::Boolean, true),
            Field::new("iterations", DataType::Int64, true),
        ]);
        Fields::from(fields)
    });
    FIELDS.clone()
}

fn one_row(fields: Fields, columns: Vec<ArrayRef>) -> Result<ScalarValue> {
    Ok(ScalarValue::Struct(Arc::new(StructArray::try_new(fields, columns, None)?)))
}

fn number(value: Option<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(vec![value]))
}

fn integer(value: u64) -> ArrayRef {
    Arc::new(Int64Array::from(vec![i64::try_from(value).unwrap_or(i64::MAX)]))
}

fn text(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

fn flag(value: bool) -> ArrayRef {
    Arc::new(BooleanArray::from(vec![value]))
}

/// The result of `clv_fit` for `customers`, of which `without_repeat` bought once.
pub(super) fn purchase_result(
    family: Family,
    unit: &str,
    fit: &Fit<4>,
    customers: u64,
    without_repeat: u64,
) -> Result<ScalarValue> {
    let mut columns = vec![integer(VERSION as u64), text(family.name()), text(unit)];
    for name in PARAMETERS {
        let place = family.parameter_names().iter().position(|held| *held == name);
        columns.push(number(place.filter(|_| fit.converged).map(|place| fit.parameters[place])));
    }
    columns.extend([
        integer(customers),
        integer(without_repeat),
        number(fit.converged.then_some(fit.log_likelihood)),
        flag(fit.converged),
        integer(u64::from(fit.iterations)),
    ]);
    one_row(purchase_fields(), columns)
}

/// The result of `clv_fit_spend`: `skipped` rows had no repeat purchase or no positive spend.
pub(super) fn spend_result(fit: &Fit<3>, customers: u64, skipped: u64) -> Result<ScalarValue> {
    let mut columns = vec![integer(VERSION as u64), text("gamma_gamma")];
    columns.extend(fit.parameters.map(|value| number(fit.converged.then_some(value))));
    columns.extend([
        integer(customers),
        integer(skipped),
        number(fit.converged.then_some(fit.log_likelihood)),
        flag(fit.converged),
        integer(u64::from(fit.iterations)),
    ]);
    one_row(spend_fields(), columns)
}

/// A column of fitted models; often one value for all rows, then it is read once.
pub(super) struct Models<'a> {
    array: &'a StructArray,
    function: &'a str,
}

/// A purchase model with the unit of its time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    pub(super) model: Model,
    pub(super) unit: String,
}

impl<'a> Models<'a> {
    /// # Errors
    /// When the column is no struct.
    pub(super) fn new(function: &'a str, array: &'a ArrayRef) -> Result<Self> {
        match array.as_struct_opt() {
            Some(array) => Ok(Self { array, function }),
            None => exec_err!("{function}: argument 1 is {}, not a fitted model", array.data_type()),
        }
    }

    /// Neighbouring rows that hold one model: a join repeats it, and reading it costs more than a prediction.
    pub(super) fn ranges(&self) -> Result<Vec<Range<usize>>> {
        // What is nested or has no values is not read.
        let is_read = |column: &&ArrayRef| !column.data_type().is_nested() && !column.data_type().is_null();
        let mut columns: Vec<ArrayRef> = self.array.columns().iter().filter(is_read).map(Arc::clone).collect();
        columns.push(Arc::new(is_null(self.array)?));
        Ok(partition(&columns)?.ranges())
    }

    fn column(&self, name: &str) -> Result<&'a ArrayRef> {
        match self.array.column_by_name(name) {
            Some(column) => Ok(column),
            None => exec_err!("{}: the struct given as a model has no field '{name}'", self.function),
        }
    }

    /// A parameter; in a struct that was written by hand a number of any type.
    fn number(&self, name: &str, row: usize) -> Result<Option<f64>> {
        let column = self.column(name)?;
        if let Some(column) = column.as_primitive_opt::<Float64Type>() {
            return Ok((!column.is_null(row)).then(|| column.value(row)));
        }
        match column.data_type() {
            number if number.is_numeric() || number.is_null() => {
                let one = cast(&column.slice(row, 1), &DataType::Float64)?;
                Ok(one.as_primitive::<Float64Type>().iter().next().flatten())
            }
            other => exec_err!("{}: field '{name}' of the model is {other}, not a number", self.function),
        }
    }

    fn text(&self, name: &str, row: usize) -> Result<Option<String>> {
        let value = ScalarValue::try_from_array(self.column(name)?, row)?;
        Ok(value.try_as_str().flatten().map(str::to_owned))
    }

    /// `None` for a NULL model and for one that did not converge.
    pub(super) fn purchases(&self, row: usize) -> Result<Option<Fitted>> {
        if self.array.is_null(row) {
            return Ok(None);
        }
        let Some(name) = self.text("model", row)? else { return Ok(None) };
        let Some(family) = Family::from_name(&name) else {
            return exec_err!("{}: '{name}' is no purchase model; {}", self.function, known_models());
        };
        let mut parameters = [0.0; 4];
        for (place, name) in family.parameter_names().into_iter().enumerate() {
            match self.number(name, row)? {
                None => return Ok(None),
                Some(value) if value > 0.0 && value.is_finite() => parameters[place] = value,
                Some(value) => return exec_err!("{}: parameter {name} of the model is {value}", self.function),
            }
        }
        let unit = self.text("unit", row)?.unwrap_or_else(|| "day".to_owned());
        Ok(Some(Fitted { model: Model { family, parameters }, unit }))
    }

    /// `None` for a NULL model and for one that did not converge.
    pub(super) fn spend(&self, row: usize) -> Result<Option<GammaGamma>> {
        if self.array.is_null(row) {
            return Ok(None);
        }
        if self.array.column_by_name("p").is_none() {
            return exec_err!("{}: a spend model is needed: what clv_fit_spend returns", self.function);
        }
        let mut parameters = [0.0; 3];
        for (place, name) in ["p", "q", "v"].into_iter().enumerate() {
            match self.number(name, row)? {
                None => return Ok(None),
                Some(value) if value > 0.0 && value.is_finite() => parameters[place] = value,
                Some(value) => return exec_err!("{}: parameter {name} of the model is {value}", self.function),
            }
        }
        Ok(Some(GammaGamma(parameters)))
    }
}

/// For messages.
pub(super) fn known_models() -> String {
    format!("use one of {}", Family::ALL.map(Family::name).join(", "))
}
