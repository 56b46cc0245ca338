//! The rules of a workspace at one revision: its settings and reference tables, and how a revision is stored.
//!
//! A revision is one create-only object, so two writers cannot both have made the next one. Revision 0 is what the
//! manifest holds.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};

use super::manifest::Manifest;
use super::reference::{DayNames, FxRates, fx_rates_schema};
use super::settings::WorkspaceSettings;
use crate::clock::Clock;
use crate::error::{Error, RUN_CHECK, Result};
use crate::identity::{IdentifierTypes, Rulebook};
use crate::settings::{IdentitySettings, OrderSettings};
use crate::store::{objects, paths};

/// What defines the days, orders and identifiers of a workspace; immutable, held by every snapshot.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub revision: u64,
    pub settings: WorkspaceSettings,
    /// As the settings say it.
    pub rulebook: Arc<Rulebook>,
    pub day_names: Arc<DayNames>,
    pub fx_rates: Arc<FxRates>,
    stored: Tables,
}

/// Where the reference tables of a revision lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tables {
    #[serde(skip_serializing_if = "Option::is_none")]
    dates: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fx_rates: Option<StoredRates>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StoredRates {
    path: String,
    /// Currency that the rates are in.
    base: String,
}

/// One revision as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    settings: WorkspaceSettings,
    #[serde(flatten)]
    tables: Tables,
}

/// What a new revision changes.
#[derive(Debug, Default)]
pub struct RuleChange {
    pub settings: Option<WorkspaceSettings>,
    pub day_names: Option<DayNames>,
    pub fx_rates: Option<FxRates>,
}

impl Rules {
    /// The rules of orders that hold here.
    pub fn orders(&self, server: &OrderSettings) -> OrderSettings {
        self.settings.orders(server)
    }

    /// The identifier types and their priority.
    pub fn types(&self) -> &Arc<IdentifierTypes> {
        self.rulebook.types()
    }

    /// The rules of identity that hold for new events: what the server blocks is blocked, too.
    pub fn rulebook_on(&self, server: &IdentitySettings) -> Arc<Rulebook> {
        match server.blocked_values.is_empty() {
            true => Arc::clone(&self.rulebook),
            false => Arc::new(self.rulebook.with_blocked(&server.blocked_values)),
        }
    }

    /// The rates, when they are in the base currency that holds.
    pub fn rates_in(&self, base: &str) -> Option<&Arc<FxRates>> {
        Some(&self.fx_rates).filter(|rates| rates.base == base)
    }

    /// Reads the newest revision. `store` has the workspace's folder as `/`.
    pub async fn load(store: &Arc<dyn ObjectStore>, manifest: &Manifest) -> Result<Self> {
        let revision = newest(store).await?;
        if revision == 0 {
            let settings = manifest.settings.clone();
            let rulebook = Arc::new(settings.rulebook()?);
            return Ok(Self { settings, rulebook, ..Self::default() });
        }
        let path = paths::settings_in_workspace(revision);
        let document: Document = objects::read_json(store, &path).await?.ok_or_else(|| missing(path.as_ref()))?;
        let Document { settings, tables } = document;
        let day_names = match &tables.dates {
            Some(path) => DayNames::from_batches(&read(store, path).await?)?,
            None => DayNames::default(),
        };
        let fx_rates = match &tables.fx_rates {
            Some(stored) => FxRates::from_batches(&stored.base, &read(store, &stored.path).await?)?,
            None => FxRates::default(),
        };
        Ok(Self {
            revision,
            rulebook: Arc::new(settings.rulebook()?),
            settings,
            day_names: Arc::new(day_names),
            fx_rates: Arc::new(fx_rates),
            stored: tables,
        })
    }

    /// Writes the next revision and returns it.
    ///
    /// # Errors
    /// `Conflict` when somebody else wrote it.
    pub(super) async fn write_next(
        &self,
        store: &Arc<dyn ObjectStore>,
        clock: &Clock,
        change: RuleChange,
    ) -> Result<Self> {
        let mut next = Self { revision: self.revision + 1, ..self.clone() };
        if let Some(settings) = change.settings {
            next.rulebook = Arc::new(settings.rulebook()?);
            next.settings = settings;
        }
        if let Some(names) = change.day_names {
            let bytes = objects::encode_parquet(DayNames::schema(), &[names.to_batch()?])?;
            let path = paths::reference_in_workspace("dates", clock.new_id());
            objects::create(store.as_ref(), &path, bytes).await?;
            next.stored.dates = Some(path.to_string());
            next.day_names = Arc::new(names);
        }
        if let Some(rates) = change.fx_rates {
            let bytes = objects::encode_parquet(fx_rates_schema(), &[rates.to_batch()?])?;
            let path = paths::reference_in_workspace("fx_rates", clock.new_id());
            objects::create(store.as_ref(), &path, bytes).await?;
            next.stored.fx_rates = Some(StoredRates { path: path.to_string(), base: rates.base.clone() });
            next.fx_rates = Arc::new(rates);
        }
        let document = Document { settings: next.settings.clone(), tables: next.stored.clone() };
        objects::create_json(store.as_ref(), &paths::settings_in_workspace(next.revision), &document).await?;
        Ok(next)
    }
}

/// Number of the newest revision, 0 when there is none.
pub(super) async fn newest(store: &Arc<dyn ObjectStore>) -> Result<u64> {
    let folder = paths::SETTINGS.into();
    let objects: Vec<_> = store.list(Some(&folder)).try_collect().await?;
    let numbers = objects.iter().filter_map(|object| object.location.filename()?.strip_suffix(".json")?.parse().ok());
    Ok(numbers.max().unwrap_or_default())
}

async fn read(store: &Arc<dyn ObjectStore>, path: &str) -> Result<Vec<arrow::record_batch::RecordBatch>> {
    let bytes = objects::read(store, &path.into()).await?.ok_or_else(|| missing(path))?;
    objects::decode_parquet(bytes)
}

fn missing(path: &str) -> Error {
    Error::corrupt(format!("object '{path}' of the workspace's settings is missing")).with_help(RUN_CHECK)
}
