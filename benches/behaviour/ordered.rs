//! Files in the order of (person, ts) as a table that says so: each partition has a range of persons, so that an aggregate
//! by person needs no exchange of rows and sees one person after the other.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result, SplitPoint, exec_err};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalSortExpr, RangePartitioning};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;

/// From this many on DataFusion takes what is parted by person as parted by (person, brand), too.
const PARTITIONS: usize = 4;

/// A listing of files that are named by their first person.
#[derive(Debug)]
pub struct Ordered(pub Arc<ListingTable>);

#[async_trait]
impl TableProvider for Ordered {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        self.0.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.0.scan(state, projection, filters, limit).await?;
        let source = plan.downcast_ref::<DataSourceExec>().map(DataSourceExec::data_source);
        let Some(config) = source.and_then(|source| source.downcast_ref::<FileScanConfig>()) else {
            return exec_err!("a scan of files was expected");
        };
        let mut files: Vec<_> = config.file_groups.iter().flat_map(|group| group.files().to_vec()).collect();
        files.sort_by(|one, other| one.object_meta.location.cmp(&other.object_meta.location));
        let groups: Vec<FileGroup> =
            files.chunks(files.len().div_ceil(PARTITIONS).max(1)).map(|files| FileGroup::new(files.to_vec())).collect();
        let first = |group: &FileGroup| {
            let name = group.files().first().and_then(|file| file.object_meta.location.filename());
            let person = name.and_then(|name| name.strip_suffix(".parquet")).and_then(|name| name.parse().ok());
            person.map(|person| SplitPoint::new(vec![ScalarValue::Int64(Some(person))]))
        };
        let splits: Option<Vec<SplitPoint>> = groups.iter().skip(1).map(first).collect();
        let splits =
            splits.ok_or_else(|| DataFusionError::Plan("a file is not named by its first person".to_owned()))?;
        let person = PhysicalSortExpr::new_default(Arc::new(Column::new_with_schema("person", &self.schema())?));
        let range = RangePartitioning::try_new(LexOrdering::from([person.nulls_first()]), splits)?;
        let config = FileScanConfigBuilder::from(config.clone())
            .with_file_groups(groups)
            .with_output_partitioning(Some(Partitioning::Range(range)))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
