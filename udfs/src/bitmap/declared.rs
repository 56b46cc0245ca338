//! Scalar functions by declaration: name, arguments, result, and how a batch is computed. Planning, constants and
//! documentation are the same for all of them. Must not know: what any of them computes.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::columns::{Column, Columns};
use super::field::bitmap_field;
use super::operand::is_binary;

/// What an argument is declared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any binary column.
    Bitmap,
    /// BIGINT, or unsigned 64 bits as given.
    Integer,
    Text,
    /// A list of any integers.
    Integers,
    /// A list of any numbers, as doubles.
    Numbers,
}

/// One declared argument.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) meaning: &'static str,
}

/// `name(a, b)`, as messages and documentation show it.
pub(super) fn signature_text(name: &str, arguments: &[Argument]) -> String {
    let names: Vec<&str> = arguments.iter().map(|argument| argument.name).collect();
    format!("{name}({})", names.join(", "))
}

/// The types that the given ones are cast to.
///
/// # Errors
/// Names the function's signature when the number or a kind of the arguments is wrong.
pub(super) fn coerce(name: &str, arguments: &[Argument], given: &[DataType]) -> Result<Vec<DataType>> {
    let signature = || signature_text(name, arguments);
    if given.len() != arguments.len() {
        return plan_err!("{}: {} arguments were given", signature(), given.len());
    }
    let typed = arguments.iter().zip(given).enumerate().map(|(place, (argument, given))| {
        let refused = |wanted: &str| {
            let (place, argument) = (place + 1, argument.name);
            plan_err!("{}: argument {place} ({argument}) is {given}, not {wanted}", signature())
        };
        coerce_one(argument.kind, given).map_or_else(refused, Ok)
    });
    typed.collect()
}

/// The type that an argument is cast to, or what was wanted instead.
fn coerce_one(kind: Kind, given: &DataType) -> std::result::Result<DataType, &'static str> {
    let is_null = *given == DataType::Null;
    match kind {
        Kind::Bitmap if is_binary(given) => Ok(given.clone()),
        Kind::Bitmap if is_null => Ok(DataType::Binary),
        Kind::Bitmap => Err("a bitmap"),
        Kind::Integer => integer(given).ok_or("an integer"),
        Kind::Text if given.is_string() || is_null => Ok(DataType::Utf8),
        Kind::Text => Err("a text"),
        Kind::Integers if is_null => Ok(list_of(DataType::Int64)),
        Kind::Integers => element(given).and_then(integer).map(list_of).ok_or("a list of integers"),
        Kind::Numbers if is_null => Ok(list_of(DataType::Float64)),
        Kind::Numbers => match element(given) {
            Some(element) if element.is_numeric() || element.is_null() => Ok(list_of(DataType::Float64)),
            _ => Err("a list of numbers"),
        },
    }
}

/// The type in which integers of a type are read.
fn integer(given: &DataType) -> Option<DataType> {
    match given {
        DataType::UInt64 => Some(DataType::UInt64),
        given if given.is_integer() || given.is_null() => Some(DataType::Int64),
        _ => None,
    }
}

fn element(list: &DataType) -> Option<&DataType> {
    match list {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            Some(field.data_type())
        }
        _ => None,
    }
}

pub(super) fn list_of(element: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(element, true)))
}

/// What a function returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Returns {
    Bitmap,
    Text,
    Integers,
}

/// All that there is to say of a function.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) arguments: &'static [Argument],
    pub(super) returns: Returns,
    /// One value for each row.
    pub(super) evaluate: fn(&Columns) -> Result<ArrayRef>,
    pub(super) description: &'static str,
    pub(super) example: &'static str,
}

/// A function as DataFusion knows it.
#[derive(Debug)]
pub(super) struct Declared {
    declaration: &'static Declaration,
    aliases: Vec<String>,
    signature: Signature,
    documentation: Documentation,
}

impl Declared {
    pub(super) fn new(declaration: &'static Declaration) -> Self {
        Self {
            aliases: declaration.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: documentation(
                declaration.name,
                declaration.arguments,
                declaration.description,
                declaration.example,
            ),
            declaration,
        }
    }
}

/// The documentation of a function or aggregate.
pub(super) fn documentation(name: &str, arguments: &[Argument], description: &str, example: &str) -> Documentation {
    let syntax = signature_text(name, arguments);
    let mut documentation = Documentation::builder(DocSection::default(), description, syntax);
    for argument in arguments {
        documentation = documentation.with_argument(argument.name, argument.meaning);
    }
    documentation.with_sql_example(example).build()
}

impl PartialEq for Declared {
    fn eq(&self, other: &Self) -> bool {
        self.declaration.name == other.declaration.name
    }
}

impl Eq for Declared {}

impl std::hash::Hash for Declared {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.declaration.name.hash(state);
    }
}

impl ScalarUDFImpl for Declared {
    fn name(&self) -> &str {
        self.declaration.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        coerce(self.declaration.name, self.declaration.arguments, given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(match self.declaration.returns {
            Returns::Bitmap => DataType::Binary,
            Returns::Text => DataType::Utf8,
            Returns::Integers => list_of(DataType::Int64),
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let (name, nullable) = (self.declaration.name, !args.arg_fields.is_empty());
        match self.declaration.returns {
            Returns::Bitmap => Ok(bitmap_field(name, nullable)),
            _ => Ok(Arc::new(Field::new(name, self.return_type(&[])?, nullable))),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns = args.args.iter().map(Column::new).collect::<Result<_>>()?;
        let result = (self.declaration.evaluate)(&Columns::new(self.declaration.name, columns, rows))?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
