//! A function of the vocabulary as DataFusion sees it.

use std::hash::{Hash, Hasher};

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::super::vocabulary::Function;
use super::formula::Call;
use super::fuse::fuse;
use super::output::result_field;

#[derive(Debug)]
pub(crate) struct Single {
    function: &'static Function,
    signature: Signature,
    aliases: Vec<String>,
    documentation: Documentation,
}

impl Single {
    pub(crate) fn new(function: &'static Function) -> Self {
        Self {
            function,
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: function.aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            documentation: function.documentation(),
        }
    }

    pub(super) fn function(&self) -> &'static Function {
        self.function
    }
}

// All else follows from the name.
impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name
    }
}

impl Eq for Single {}

impl Hash for Single {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
    }
}

impl ScalarUDFImpl for Single {
    fn name(&self) -> &str {
        self.function.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce(given)
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        internal_err!("{}: the type of a result is that of its field", self.function.name)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(result_field(self.function.name, self.function, args.arg_fields))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn simplify(&self, args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let call = Call::plain(self.function, args.len());
        Ok(fuse(&call, args).map_or_else(ExprSimplifyResult::Original, ExprSimplifyResult::Simplified))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        super::evaluate(&Call::plain(self.function, args.args.len()), &args.args, args.number_rows)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
