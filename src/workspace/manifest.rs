//! What is fixed when a workspace is made; its zone by the first load that keeps a row, where nobody chose one.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use object_store::ObjectStore;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::settings::WorkspaceSettings;
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::store::objects;

/// Version of the layout of a workspace; any other is refused. Since 2, events hold what they say of orders; since 3,
/// commits name their place in the log.
const FORMAT: u64 = 5;

/// What sort of events a load brings. A workspace holds one sort: no figure is of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    Real,
    /// Made up, for the demo.
    Synthetic,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u64,
    /// Tells logs of this workspace from those of another one of its name.
    pub id: Uuid,
    /// Defines the day in orders, lifecycle, dates and partitions.
    #[serde(with = "zone_name")]
    pub time_zone: Tz,
    pub created_at: DateTime<Utc>,
    /// Nobody chose the zone: it was made because a command needed one. As long as it holds no event, a load chooses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zone_is_open: bool,
    /// It holds the synthetic shop of the demo, and nothing else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
    /// The settings that it was made with: they hold until a revision of them is written.
    #[serde(flatten)]
    pub settings: WorkspaceSettings,
}

impl Manifest {
    /// Of a workspace that is not made yet: whoever makes it gives it its id and time.
    pub fn new(time_zone: Tz) -> Self {
        Self {
            format: FORMAT,
            id: Uuid::nil(),
            time_zone,
            created_at: DateTime::UNIX_EPOCH,
            zone_is_open: false,
            demo: false,
            settings: WorkspaceSettings::default(),
        }
    }

    /// # Errors
    /// `InvalidInput` for real events in the workspace of the demo, and for made-up ones in any other.
    pub fn check_takes(&self, kind: DataKind, workspace: &WorkspaceName) -> Result<()> {
        match (kind, self.demo) {
            (DataKind::Real, false) | (DataKind::Synthetic, true) => Ok(()),
            (DataKind::Real, true) => Err(Error::invalid(format!(
                "workspace '{workspace}' is that of the demo: its events are synthetic, and yours beside them would make \
                 every figure one of both. Load into another folder (`convoke ingest --data ./shop`), or through a server \
                 of another folder"
            ))),
            (DataKind::Synthetic, false) => Err(Error::invalid(format!(
                "workspace '{workspace}' was not made by the demo: synthetic events beside yours would make every figure \
                 one of both. Run `convoke demo` without --data, or with a folder of its own"
            ))),
        }
    }

    /// The manifest at `path`, `None` when there is none.
    ///
    /// # Errors
    /// `Corrupt` for one that a newer or an older version wrote: both formats are named.
    pub async fn read(store: &Arc<dyn ObjectStore>, path: &Path, workspace: &WorkspaceName) -> Result<Option<Self>> {
        // The number first: a newer format may be anything beyond it.
        let Some(document) = objects::read_json::<Value>(store, path).await? else { return Ok(None) };
        let format = document.get("format").and_then(Value::as_u64).unwrap_or_default();
        if format > FORMAT {
            return Err(Error::corrupt(format!(
                "workspace '{workspace}' has format {format}, this program (convoke {}) reads up to format {FORMAT}",
                env!("CARGO_PKG_VERSION")
            ))
            .with_help("use a newer convoke"));
        }
        if (1..FORMAT).contains(&format) {
            return Err(Error::corrupt(format!(
                "workspace '{workspace}' has format {format}, this program (convoke {}) reads format {FORMAT}",
                env!("CARGO_PKG_VERSION")
            ))
            .with_help(
                "load its files anew into another data folder (`convoke ingest --data`), or read it with the convoke that \
                 wrote it",
            ));
        }
        serde_json::from_value(document)
            .map(Some)
            .map_err(|error| Error::corrupt(format!("the manifest of workspace '{workspace}' is damaged: {error}")))
    }
}

/// A zone as its IANA name.
mod zone_name {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
