//! Scalar functions of texts by declaration: name, arguments, result, how a batch is computed. Planning, the look at
//! constants and documentation are the same for all of them. Must not know: what any of them computes.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::arguments::Arguments;

/// One declared argument: its name and its meaning. All are texts.
pub(super) type Argument = (&'static str, &'static str);

/// All that there is to say of a function.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Argument],
    /// Text or DOUBLE.
    pub(super) returns: DataType,
    /// Whether arguments that are not NULL can give NULL.
    pub(super) may_find_nothing: bool,
    /// What is wrong with a value of the argument at a place (from 0), so that a constant is refused at planning.
    pub(super) check: fn(usize, &str) -> std::result::Result<(), String>,
    /// One value for each row.
    pub(super) evaluate: fn(&Arguments) -> Result<ArrayRef>,
    pub(super) description: &'static str,
    pub(super) example: &'static str,
}

impl Declaration {
    fn signature_text(&self) -> String {
        let names: Vec<&str> = self.arguments.iter().map(|(name, _)| *name).collect();
        format!("{}({})", self.name, names.join(", "))
    }

    fn documentation(&self) -> Documentation {
        let mut builder = Documentation::builder(DocSection::default(), self.description, self.signature_text());
        for (name, meaning) in self.arguments {
            builder = builder.with_argument(*name, *meaning);
        }
        builder.with_sql_example(self.example).build()
    }
}

/// For functions that take every text.
pub(super) fn any_text(_place: usize, _value: &str) -> std::result::Result<(), String> {
    Ok(())
}

/// Whether a column can be read as texts, plain or by a dictionary.
pub(super) fn is_text(given: &DataType) -> bool {
    match given {
        DataType::Dictionary(_, value) => is_text(value),
        given => given.is_string() || given.is_null(),
    }
}

/// A function as DataFusion knows it.
#[derive(Debug)]
pub(super) struct Declared {
    declaration: &'static Declaration,
    signature: Signature,
    documentation: Documentation,
}

impl Declared {
    pub(super) fn new(declaration: &'static Declaration) -> Self {
        let signature = Signature::user_defined(Volatility::Immutable);
        Self { declaration, signature, documentation: declaration.documentation() }
    }
}

impl PartialEq for Declared {
    fn eq(&self, other: &Self) -> bool {
        self.declaration.name == other.declaration.name
    }
}

impl Eq for Declared {}

impl Hash for Declared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.declaration.name.hash(state);
    }
}

impl ScalarUDFImpl for Declared {
    fn name(&self) -> &str {
        self.declaration.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let arguments = self.declaration.arguments;
        let signature = || self.declaration.signature_text();
        if given.len() != arguments.len() {
            return plan_err!("{}: {} arguments were given", signature(), given.len());
        }
        let wrong = arguments.iter().zip(given).position(|(_, given)| !is_text(given));
        match wrong {
            Some(place) => plan_err!(
                "{}: argument {} ({}) is {}, not a text",
                signature(),
                place + 1,
                arguments[place].0,
                given[place]
            ),
            None => Ok(vec![DataType::Utf8; given.len()]),
        }
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(self.declaration.returns.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let Declaration { name, returns, check, may_find_nothing, .. } = self.declaration;
        for (place, constant) in args.scalar_arguments.iter().enumerate() {
            let text = constant.and_then(|constant| constant.try_as_str().flatten());
            if let Some(Err(fault)) = text.map(|text| check(place, text)) {
                return plan_err!("{name}: {fault}");
            }
        }
        let nullable = *may_find_nothing || args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(*name, returns.clone(), nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let result = (self.declaration.evaluate)(&Arguments::new(self.declaration.name, &args.args, rows)?)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
