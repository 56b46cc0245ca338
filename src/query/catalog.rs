//! The catalog of one workspace for all states of a shape: which tables there are, and how each is made.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider, TableProvider,
};
use datafusion::common::Result as DfResult;
use datafusion::datasource::provider_as_source;
use datafusion::execution::context::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;

use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};

use super::engine::TableKind;
use super::functions;
use super::session::TemplateParts;
use super::table_functions::{
    ConstantTable, FROM_DATAFUSION, FunctionEntry, TableFunctionOfConstants, routines_for_users,
};
use super::tables;
use super::tables::user_table::UserTable;
use crate::auth::Visibility;
use crate::error::Result;
use crate::workspace::{BaseCurrency, Snapshot};

/// A table as the catalog shows it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) schema: &'static str,
    pub(super) name: String,
    pub(super) kind: TableKind,
    pub(super) columns: SchemaRef,
}

/// A catalog under construction: schemas `main` and `system`.
struct Building {
    main: Arc<MemorySchemaProvider>,
    system: Arc<MemorySchemaProvider>,
    shown: Vec<Shown>,
}

impl Building {
    fn add(&mut self, schema: &'static str, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
        let kind = match (schema, name) {
            ("system", _) => TableKind::System,
            (_, "events") => TableKind::Table,
            _ => TableKind::View,
        };
        self.add_as(schema, name, kind, table)
    }

    fn add_as(
        &mut self,
        schema: &'static str,
        name: &str,
        kind: TableKind,
        table: Arc<dyn TableProvider>,
    ) -> Result<()> {
        self.shown.push(Shown { schema, name: name.to_owned(), kind, columns: table.schema() });
        let target = if schema == "system" { &self.system } else { &self.main };
        target.register_table(name.to_owned(), table)?;
        Ok(())
    }
}

/// Registers stores, functions and tables of the workspace in `state`; returns what users see.
pub(super) async fn register(
    state: &mut SessionState,
    parts: &TemplateParts<'_>,
    snapshot: &Arc<Snapshot>,
) -> Result<Vec<Shown>> {
    let store_url = ObjectStoreUrl::parse(format!("convoke://{}", parts.workspace.name()))?;
    state.runtime_env().register_object_store(store_url.as_ref(), parts.workspace.store());
    functions::register(state, parts.workspace.manifest().time_zone)?;

    let mut building = Building { main: Arc::default(), system: Arc::default(), shown: Vec::new() };
    let catalog = Arc::new(MemoryCatalogProvider::new());
    catalog.register_schema("main", Arc::clone(&building.main) as Arc<dyn SchemaProvider>)?;
    catalog.register_schema("system", Arc::clone(&building.system) as Arc<dyn SchemaProvider>)?;
    let catalogs = Arc::new(MemoryCatalogProviderList::new());
    catalogs.register_catalog(parts.workspace.name().to_string(), Arc::clone(&catalog) as Arc<dyn CatalogProvider>);
    state.register_catalog_list(catalogs);

    let raw = tables::events::raw(parts.workspace, store_url.clone());
    let events = tables::events::with_person(state, Arc::clone(&raw))?;
    building.add("main", "events", Arc::clone(&events))?;
    add_orders(state, parts, snapshot, raw, &mut building).await?;
    add_views(state, snapshot, &mut building).await?;
    let timeline = tables::timeline::Timeline::new(state, Arc::clone(&snapshot.rules), events)?;
    let functions = add_table_functions(state, vec![Arc::new(timeline), Arc::new(tables::members::UnnestBitmap)]);
    add_system_tables(parts, snapshot, &mut building)?;
    add_user_tables(parts, snapshot, &store_url, &mut building)?;
    add_information_schema(parts, &catalog, functions)?;
    Ok(building.shown)
}

/// Registers our table functions; returns these and those that are there already.
fn add_table_functions(state: &mut SessionState, ours: Vec<Arc<dyn ConstantTable>>) -> Vec<FunctionEntry> {
    let mut functions = FROM_DATAFUSION.to_vec();
    for function in ours {
        functions.push(FunctionEntry::of(function.as_ref()));
        state.register_udtf(function.name(), Arc::new(TableFunctionOfConstants::new(function)));
    }
    functions
}

async fn add_views(state: &mut SessionState, snapshot: &Arc<Snapshot>, building: &mut Building) -> Result<()> {
    building.add("main", "persons", tables::persons::table(state).await?)?;
    building.add("main", "identities", tables::identities::table(state).await?)?;
    building.add("main", "event_catalog", tables::event_catalog::event_catalog(state, &snapshot.rules).await?)?;
    building.add("main", "dates", tables::dates::table(&snapshot.rules.day_names)?)?;
    building.add("main", "fx_rates", tables::fx_rates::table(&snapshot.rules)?)
}

async fn add_orders(
    state: &mut SessionState,
    parts: &TemplateParts<'_>,
    snapshot: &Arc<Snapshot>,
    raw: Arc<dyn TableProvider>,
    building: &mut Building,
) -> Result<()> {
    let zone = parts.workspace.manifest().time_zone;
    let rules = snapshot.rules.orders(&parts.settings.orders);
    functions::register_orders(state, BaseCurrency::new(&snapshot.rules, &rules, zone), zone)?;
    let events = tables::events::with_order_columns(state, raw)?;
    let views = tables::orders::views(state, &building.main, events, &rules).await?;
    views.into_iter().try_for_each(|(name, view)| building.add("main", name, view))
}

fn add_system_tables(parts: &TemplateParts<'_>, snapshot: &Arc<Snapshot>, building: &mut Building) -> Result<()> {
    let name = parts.workspace.name().clone();
    building.add("system", "dead_letters", tables::system::dead_letters(parts.workspace)?)?;
    building.add("system", "queries", tables::system::queries(parts.history.clone(), name)?)?;
    if parts.visibility != Visibility::Administrator {
        return Ok(());
    }
    // [`tables::system::OF_ADMINISTRATORS`]
    building.add("system", "log", tables::system::log(parts.workspace)?)?;
    building.add(
        "system",
        "settings",
        tables::system::settings(parts.settings, parts.workspace.manifest(), &snapshot.rules)?,
    )
}

/// The users' own tables; a managed table of the same name, added by a newer version of this program, hides one.
fn add_user_tables(
    parts: &TemplateParts<'_>,
    snapshot: &Arc<Snapshot>,
    store_url: &ObjectStoreUrl,
    building: &mut Building,
) -> Result<()> {
    for (name, table) in &snapshot.tables.tables {
        if !building.main.table_exist(name) {
            let table = UserTable::provider(name, table, store_url.clone(), parts.workspace.store());
            building.add_as("main", name, TableKind::Table, table)?;
        }
    }
    Ok(())
}

/// The standard schema over this workspace alone.
///
/// It looks at its own list of catalogs: one that held itself would never be freed.
fn add_information_schema(
    parts: &TemplateParts<'_>,
    catalog: &MemoryCatalogProvider,
    functions: Vec<FunctionEntry>,
) -> Result<()> {
    let inner = Arc::new(MemoryCatalogProvider::new());
    for name in ["main", "system"] {
        if let Some(schema) = catalog.schema(name) {
            inner.register_schema(name, schema)?;
        }
    }
    let list = Arc::new(MemoryCatalogProviderList::new());
    list.register_catalog(parts.workspace.name().to_string(), inner);
    let inner = InformationSchemaProvider::new(list);
    let provider = FilteredInformationSchema { inner, catalog: parts.workspace.name().to_string(), functions };
    catalog.register_schema("information_schema", Arc::new(provider))?;
    Ok(())
}

/// DataFusion's information schema without its settings, which are not ours to show, and with the table functions.
struct FilteredInformationSchema {
    inner: InformationSchemaProvider,
    catalog: String,
    functions: Vec<FunctionEntry>,
}

const HIDDEN: &str = "df_settings";

impl fmt::Debug for FilteredInformationSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FilteredInformationSchema")
    }
}

#[async_trait]
impl SchemaProvider for FilteredInformationSchema {
    fn table_names(&self) -> Vec<String> {
        self.inner.table_names().into_iter().filter(|name| name != HIDDEN).collect()
    }

    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        if !self.table_exist(name) {
            return Ok(None);
        }
        let Some(table) = self.inner.table(name).await? else { return Ok(None) };
        if name.eq_ignore_ascii_case("routines") {
            return routines_for_users(table, &self.catalog, &self.functions).map(Some);
        }
        if table.schema().field_with_name("table_name").is_err() {
            return Ok(Some(table));
        }
        let plan = LogicalPlanBuilder::scan(name, provider_as_source(table), None)?
            .filter(col("table_name").not_eq(lit(HIDDEN)))?
            .build()?;
        Ok(Some(Arc::new(ViewTable::new(plan, None))))
    }

    fn table_exist(&self, name: &str) -> bool {
        !name.eq_ignore_ascii_case(HIDDEN) && self.inner.table_exist(name)
    }
}
