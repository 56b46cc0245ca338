//! Sessions: a template for all states of one shape of a workspace, cloned for each request.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::DataType;

use chrono_tz::Tz;
use datafusion::config::ConfigNonZeroUsize;
use datafusion::execution::context::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion_functions_json::register_all as register_json;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::catalog;
use super::engine::PlannedStatement;
use super::functions::local_time::InstantPlanner;
use super::functions::numbers::NumberPlanner;
use super::functions::{ExtractPlanner, FieldPlanner};
use super::history::History;
use super::rules;
use super::rules::logical::{AfterCoercion, DerivedTables};
use super::table_functions::FROM_DATAFUSION;
use super::zone::UTC;
use crate::auth::Visibility;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::settings::{Settings, similar_names};
use crate::workspace::{ShapeId, Snapshot, Workspace};

/// What a session may set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionOptions {
    /// IANA name of the zone in which instants become days and texts, and back; `None` is the workspace's zone.
    pub time_zone: Option<String>,
    /// Schema of unqualified table names; `None` is `main`.
    pub schema: Option<String>,
}

impl SessionOptions {
    /// The options with another time zone.
    ///
    /// # Errors
    /// `InvalidInput` for a name that is not in the IANA list, with similar ones.
    pub fn with_time_zone(&self, name: &str) -> Result<Self> {
        let zone: Tz = name.parse().map_err(|_| {
            let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
            let offered = similar_names(name, names);
            let hint = if offered.is_empty() {
                "use an IANA name such as Asia/Shanghai".into()
            } else {
                format!("similar: {}", offered.join(", "))
            };
            Error::invalid(format!("'{name}' is not a time zone; {hint}"))
        })?;
        Ok(Self { time_zone: Some(zone.name().to_owned()), ..self.clone() })
    }
}

/// A statement in a session, with the types of the values that it is planned for.
pub(super) type PlanKey = (SessionOptions, String, Vec<Option<DataType>>);

/// A session template of one workspace for all states of a shape, with the tables that it shows.
pub(super) struct Template {
    pub(super) workspace: Arc<Workspace>,
    pub(super) time_zone: Tz,
    /// The workspace's name.
    pub(super) catalog: WorkspaceName,
    pub(super) state: SessionState,
    /// Names of the tables that users made.
    user_tables: HashSet<String>,
    /// Statements as they were planned; those that are used least give way.
    pub(super) plans: Cache<PlanKey, Arc<PlannedStatement>>,
    pub(super) tables: Vec<catalog::Shown>,
    /// Names as a user writes them, for suggestions.
    pub(super) table_names: Vec<String>,
}

/// What every template is built from.
pub(super) struct TemplateParts<'a> {
    pub(super) workspace: &'a Arc<Workspace>,
    pub(super) settings: &'a Arc<Settings>,
    pub(super) runtime: &'a Arc<RuntimeEnv>,
    pub(super) history: &'a History,
    pub(super) visibility: Visibility,
}

impl Template {
    async fn build(parts: &TemplateParts<'_>, snapshot: &Arc<Snapshot>) -> Result<Self> {
        let mut state = base_state(parts)?;
        register_json(&mut state)?;
        let tables = catalog::register(&mut state, parts, snapshot).await?;
        let table_names = tables
            .iter()
            .map(|shown| match shown.schema {
                "main" => shown.name.clone(),
                schema => format!("{schema}.{}", shown.name),
            })
            .collect();
        Ok(Self {
            workspace: Arc::clone(parts.workspace),
            user_tables: snapshot.tables.tables.keys().cloned().collect(),
            plans: Cache::new(parts.settings.query.cached_plans),
            catalog: parts.workspace.name().clone(),
            time_zone: parts.workspace.manifest().time_zone,
            state,
            tables,
            table_names,
        })
    }

    /// Keeps a plan for when the statement comes again. Long texts are mostly rows, which come once.
    pub(super) fn remember(&self, key: PlanKey, statement: &Arc<PlannedStatement>) {
        if key.1.len() <= LONGEST_KEPT {
            self.plans.insert(key, Arc::clone(statement));
        }
    }

    /// Whether the name, in any case, is that of a table that only events change.
    pub(super) fn is_managed(&self, name: &str) -> bool {
        let shown = |shown: &catalog::Shown| shown.schema == "main" && shown.name.eq_ignore_ascii_case(name);
        self.tables.iter().any(|table| shown(table) && !self.user_tables.contains(&table.name))
    }

    /// The zone of a session; its name was checked when it was set.
    pub(super) fn zone(&self, options: &SessionOptions) -> Tz {
        options.time_zone.as_deref().and_then(|name| name.parse().ok()).unwrap_or(self.time_zone)
    }

    /// The columns of a table by its name in a statement.
    pub(super) fn columns_of(&self, name: &ObjectName, session: &SessionOptions) -> Option<Vec<String>> {
        let parts: Vec<String> = name
            .0
            .iter()
            .map(|part| {
                let part = part.as_ident()?;
                Some(if part.quote_style.is_some() { part.value.clone() } else { part.value.to_ascii_lowercase() })
            })
            .collect::<Option<_>>()?;
        let default = session.schema.as_deref().unwrap_or("main");
        let (schema, name) = match parts.as_slice() {
            [name] => (default, name),
            [.., schema, name] => (schema.as_str(), name),
            [] => return None,
        };
        let shown = self.tables.iter().find(|shown| shown.schema == schema && shown.name == *name)?;
        Some(shown.columns.fields().iter().map(|field| field.name().clone()).collect())
    }

    /// A session for one request, without the state that it is to read.
    pub(super) fn session_without_state(&self, options: &SessionOptions) -> SessionState {
        let mut state = self.state.clone();
        let config = state.config_mut().options_mut();
        if let Some(schema) = &options.schema {
            config.catalog.default_schema.clone_from(schema);
        }
        // For `current_date`, `current_time` and our own rules.
        config.execution.time_zone = Some(self.zone(options).name().to_owned());
        state
    }
}

fn base_state(parts: &TemplateParts<'_>) -> Result<SessionState> {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(parts.workspace.name().as_str(), "main")
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(std::thread::available_parallelism().map_or(1, usize::from));
    let options = config.options_mut();
    // Filters run inside the Parquet decoder, also those on the computed person.
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.schema_force_view_types = false;
    // For functions that are built with it: `to_timestamp` makes an instant.
    options.execution.time_zone = Some(UTC.to_owned());
    // `0.1` is a decimal, as money is.
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    // datafusion#24883: with two files of spilled batches open at once, a repartition may wait for ever for the one that
    // is not written to. So each batch has a file of its own.
    options.execution.max_spill_file_size_bytes = ConfigNonZeroUsize::try_new(1)?;
    // datafusion#25414: it moves a field of a struct below a projection that gives its columns other values.
    options.optimizer.enable_leaf_expression_pushdown = false;
    // `TopKAggregation` of 55.2 hands the limit of a sort to the next aggregate below, past windows that look at all of
    // its groups and past other aggregates.
    options.optimizer.enable_topk_aggregation = false;
    // The filter that `AggregateExec` of 55.2 makes of the MIN and MAX so far leaves out those over no plain column, those
    // that have no value yet and the FILTER of each: rows that only they need are not read.
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    for (key, value) in &parts.settings.query.planner {
        options.set(key, value)?;
    }
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(Arc::clone(parts.runtime))
        // Asked before DataFusion's own, which come with the default features.
        .with_expr_planners(vec![
            Arc::new(InstantPlanner),
            Arc::new(NumberPlanner),
            Arc::new(ExtractPlanner),
            Arc::new(FieldPlanner),
        ])
        .with_relation_planners(vec![Arc::new(DerivedTables)])
        .with_default_features()
        .with_optimizer_rules(rules::optimizer::rules())
        .with_physical_optimizer_rules(rules::physical::rules())
        .build();
    state.add_analyzer_rule(Arc::new(AfterCoercion));
    // No table functions, file formats or factories beyond our own: they read files.
    let names: Vec<String> = state.table_functions().keys().cloned().collect();
    for name in names.iter().filter(|name| !FROM_DATAFUSION.iter().any(|safe| safe.name() == name.as_str())) {
        state.deregister_udtf(name)?;
    }
    Ok(state)
}

/// Bytes of the text of a statement whose plan is kept.
const LONGEST_KEPT: usize = 16 << 10;

/// Shapes of a workspace whose templates are kept: a shape changes when a table is made or a setting changed, and tickets
/// of before are used a while longer. Each is there for two sorts of callers.
const KEPT_SHAPES: usize = 4;

/// The templates of each workspace by themselves: what one asks pushes out nothing of another.
#[derive(Default)]
pub(super) struct Templates {
    by_workspace: Mutex<HashMap<WorkspaceName, Arc<WorkspaceTemplates>>>,
}

struct WorkspaceTemplates {
    workspace: Arc<Workspace>,
    by_shape: Cache<(Visibility, ShapeId), Arc<Template>>,
}

impl Templates {
    /// The template for all states of the shape of `snapshot`, built by the first who asks.
    pub(super) async fn get(&self, parts: &TemplateParts<'_>, snapshot: &Arc<Snapshot>) -> Result<Arc<Template>> {
        let of_workspace = self.of_workspace(parts.workspace);
        let build = async { Template::build(parts, snapshot).await.map(Arc::new) };
        of_workspace.by_shape.get_or_insert_async(&(parts.visibility, snapshot.shape()), build).await
    }

    fn of_workspace(&self, workspace: &Arc<Workspace>) -> Arc<WorkspaceTemplates> {
        let mut held = self.by_workspace.lock();
        match held.get(workspace.name()) {
            // One that was opened anew may have another time zone.
            Some(templates) if Arc::ptr_eq(&templates.workspace, workspace) => Arc::clone(templates),
            _ => {
                let by_shape = Cache::new(KEPT_SHAPES);
                let templates = Arc::new(WorkspaceTemplates { workspace: Arc::clone(workspace), by_shape });
                held.insert(workspace.name().clone(), Arc::clone(&templates));
                templates
            }
        }
    }
}
