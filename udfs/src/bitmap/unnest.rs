//! Table function `unnest_bitmap(b)`: the members of one set as rows of `person`, ascending, a batch at a time, so that
//! a set of any size takes the memory of its bytes and one batch.
//!
//! `b` is one value: a constant, a parameter, a call without columns, or a scalar subquery. It is computed when the query
//! runs, never while it is planned.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err, plan_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, ExprSchemable, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, collect};

use super::operand::{Operand, is_binary, refused};
use crate::kernel;

pub(super) const NAME: &str = "unnest_bitmap";
const SIGNATURE: &str = "unnest_bitmap(b)";
const COLUMN: &str = "person";

static SCHEMA: LazyLock<SchemaRef> =
    LazyLock::new(|| Arc::new(Schema::new(vec![Field::new(COLUMN, DataType::Int64, false)])));

/// The value bound to a placeholder such as `$1`; `None` while the statement is only prepared. DataFusion binds no
/// placeholder inside a table function: a program that has parameters looks them up in its session.
pub type BoundValue = fn(&dyn Session, &str) -> Result<Option<ScalarValue>>;

/// The table function.
#[derive(Debug, Default)]
pub struct UnnestBitmap {
    bound_value: Option<BoundValue>,
}

impl UnnestBitmap {
    /// With parameters of the program's own.
    pub fn with_bound_value(bound_value: BoundValue) -> Self {
        Self { bound_value: Some(bound_value) }
    }

    /// The argument with all placeholders replaced that have a value.
    fn bind(&self, argument: &Expr, session: &dyn Session) -> Result<Expr> {
        let bound = argument.clone().transform(|part| match (&part, self.bound_value) {
            (Expr::Placeholder(placeholder), Some(bound_value)) => match bound_value(session, &placeholder.id)? {
                Some(value) => Ok(Transformed::yes(Expr::Literal(value, None))),
                None => Ok(Transformed::no(part)),
            },
            _ => Ok(Transformed::no(part)),
        })?;
        Ok(bound.data)
    }
}

impl TableFunctionImpl for UnnestBitmap {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let [argument] = args.exprs() else {
            return plan_err!("{SIGNATURE}: {} arguments were given", args.exprs().len());
        };
        let argument = self.bind(argument, args.session())?;
        check(&argument)?;
        Ok(Arc::new(Members { argument }))
    }
}

/// The table of one value that is there already: the members as rows of `person`.
///
/// # Errors
/// For a value that is no bitmap by its type.
pub fn members_of(value: ScalarValue) -> Result<Arc<dyn TableProvider>> {
    let argument = Expr::Literal(value, None);
    check(&argument)?;
    Ok(Arc::new(Members { argument }))
}

/// Whether the argument is one bitmap for all rows.
fn check(argument: &Expr) -> Result<()> {
    if let Expr::ScalarSubquery(subquery) = argument {
        if !subquery.outer_ref_columns.is_empty() {
            return plan_err!("{SIGNATURE}: the subquery refers to columns outside of it");
        }
    } else if argument.exists(|part| Ok(matches!(part, Expr::Column(_) | Expr::OuterReferenceColumn(..))))? {
        return plan_err!(
            "{SIGNATURE}: b is one value, not a column; members of a column of bitmaps are unnest(bitmap_to_array(column))"
        );
    } else if argument.exists(|part| Ok(matches!(part, Expr::ScalarSubquery(_))))? {
        return plan_err!("{SIGNATURE}: a subquery is the whole argument, not a part of it");
    }
    if is_open(argument)? {
        return Ok(());
    }
    let data_type = argument.get_type(&DFSchema::empty())?;
    if !is_binary(&data_type) && !data_type.is_null() {
        return plan_err!("{SIGNATURE}: argument 1 (b) is {data_type}, not a bitmap");
    }
    Ok(())
}

/// Whether a placeholder in it has no value yet.
fn is_open(argument: &Expr) -> Result<bool> {
    argument.exists(|part| Ok(matches!(part, Expr::Placeholder(_))))
}

/// The rows of one call.
#[derive(Debug)]
struct Members {
    argument: Expr,
}

#[async_trait::async_trait]
impl TableProvider for Members {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&SCHEMA)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if is_open(&self.argument)? {
            return exec_err!("{SIGNATURE}: a parameter has no value");
        }
        let source = match &self.argument {
            Expr::ScalarSubquery(query) => Source::Query(state.create_physical_plan(&query.subquery).await?),
            call => Source::Value(state.create_physical_expr(call.clone(), &DFSchema::empty())?),
        };
        let shows_column = projection.is_none_or(|columns| !columns.is_empty());
        let ascending = PhysicalSortExpr::new_default(Arc::new(Column::new(COLUMN, 0)));
        let ordering = if shows_column { LexOrdering::new([ascending]) } else { None };
        let stream = Arc::new(MemberStream { source });
        let plan = StreamingTableExec::try_new(Arc::clone(&SCHEMA), vec![stream], projection, ordering, false, limit)?;
        Ok(Arc::new(plan))
    }
}

/// Where the bitmap comes from.
#[derive(Debug, Clone)]
enum Source {
    Value(Arc<dyn PhysicalExpr>),
    Query(Arc<dyn ExecutionPlan>),
}

impl Source {
    /// A column of one row, none where the subquery has no row.
    async fn value(self, context: Arc<TaskContext>) -> Result<Option<ArrayRef>> {
        match self {
            Self::Value(expression) => {
                let one_row = RecordBatchOptions::new().with_row_count(Some(1));
                let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &one_row)?;
                expression.evaluate(&row)?.into_array(1).map(Some)
            }
            Self::Query(plan) => {
                let batches = collect(plan, context).await?;
                let mut rows = batches.iter().filter(|batch| batch.num_rows() > 0);
                match (rows.next(), rows.next()) {
                    (None, _) => Ok(None),
                    (Some(batch), None) if batch.num_rows() == 1 => Ok(batch.columns().first().cloned()),
                    _ => exec_err!("{SIGNATURE}: the subquery has more than one row"),
                }
            }
        }
    }
}

#[derive(Debug)]
struct MemberStream {
    source: Source,
}

impl PartitionStream for MemberStream {
    fn schema(&self) -> &SchemaRef {
        &SCHEMA
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        // One batch waits while the next is made.
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&SCHEMA), 1);
        let (output, source) = (builder.tx(), self.source.clone());
        builder.spawn(async move {
            let most = context.session_config().batch_size();
            let Some(value) = source.value(context).await?.filter(|value| !value.data_type().is_null()) else {
                return Ok(());
            };
            let Some(bitmap) = Operand::new(NAME, 1, value.as_ref())?.bitmap(NAME, 1, 0)? else { return Ok(()) };
            let plan = kernel::Expr::Set(bitmap).plan().map_err(|error| refused(NAME, 1, &error))?;
            let (mut ids, mut ended) = (plan.ids(), false);
            while !ended {
                let mut members: Vec<i64> = Vec::with_capacity(most);
                while members.len() < most && !ended {
                    match ids.next_batch(most - members.len()) {
                        Some(more) => members.extend(more.iter().map(|id| i64::from(*id))),
                        None => ended = true,
                    }
                }
                if members.is_empty() {
                    break;
                }
                let batch = RecordBatch::try_new(Arc::clone(&SCHEMA), vec![Arc::new(Int64Array::from(members))])?;
                if output.send(Ok(batch)).await.is_err() {
                    // Nobody reads on.
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    }
}
