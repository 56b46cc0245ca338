//! What is fixed when a workspace is made.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Version of the layout under a root; a newer one is refused.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// Defines the day in orders, lifecycle, dates and partitions.
    #[serde(with = "zone_name")]
    pub time_zone: Tz,
    pub created_at: DateTime<Utc>,
    /// In place of the server's `orders.base_currency`.
    #[serde(default)]
    pub base_currency: Option<String>,
}

impl Manifest {
    pub fn new(time_zone: Tz) -> Self {
        Self { format: FORMAT, time_zone, created_at: Utc::now(), base_currency: None }
    }

    /// # Errors
    /// `Corrupt` for a layout that a newer version wrote.
    pub fn check_format(&self) -> Result<()> {
        if self.format > FORMAT {
            return Err(Error::corrupt(format!(
                "this root has format {}, this program reads up to format {FORMAT}: use a newer convoke",
                self.format
            )));
        }
        Ok(())
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
