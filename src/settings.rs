//! Settings: plain values with documented defaults (`settings.toml`), overridden by file, environment and flags.
//!
//! Holds values only; parts such as stores and clocks are passed in code.

use serde::Deserialize;
use toml::{Table, Value};

use crate::error::{Error, Result};

mod similar;
#[cfg(test)]
mod tests;

pub use similar::{did_you_mean, similar_names};

const DEFAULTS: &str = include_str!("settings.toml");
const ENVIRONMENT_PREFIX: &str = "CONVOKE";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: ServerSettings,
    pub store: StoreSettings,
    pub query: QuerySettings,
    pub ingest: IngestSettings,
    pub log: LogSettings,
    pub upkeep: UpkeepSettings,
    pub tables: TableSettings,
    pub orders: OrderSettings,
    pub identity: IdentitySettings,
    /// (key, value, where it comes from), for `system.settings`.
    #[serde(skip)]
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSettings {
    pub listen: String,
    pub stop_seconds: u64,
    pub tls_cert: String,
    pub tls_key: String,
    pub log: String,
    pub log_format: LogFormat,
    pub log_statements: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    pub writer_stale_seconds: u64,
    pub retry_seconds: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuerySettings {
    pub pool_memory: Bytes,
    pub memory: Bytes,
    pub seconds: u64,
    pub concurrency: usize,
    pub queue: usize,
    pub rows: u64,
    pub spill: Bytes,
    pub cached_plans: usize,
    /// Options of the planner, for tests that compare its plans: no file and no variable sets them.
    #[serde(skip)]
    pub planner: Vec<(String, String)>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IngestSettings {
    pub buffer_memory: Bytes,
    pub max_future_hours: u64,
}

/// When rows of the log become files, and how much it may hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    pub flush_rows: usize,
    pub flush_bytes: Bytes,
    pub flush_seconds: u64,
    #[serde(deserialize_with = "disk_limit")]
    pub disk_limit: Bytes,
}

/// As `settings.toml` has them: for those who open a workspace without a file of settings.
impl Default for LogSettings {
    fn default() -> Self {
        Self { flush_rows: 200_000, flush_bytes: Bytes(128 << 20), flush_seconds: 30, disk_limit: Bytes(8 << 30) }
    }
}

/// A load of few rows goes through the log as one record, which must fit.
const LEAST_DISK_LIMIT: Bytes = Bytes(256 << 20);

fn disk_limit<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let limit = Bytes::deserialize(deserializer)?;
    match limit.0 >= LEAST_DISK_LIMIT.0 {
        true => Ok(limit),
        false => Err(serde::de::Error::custom("log.disk_limit: the log of a workspace needs at least 256MiB")),
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpkeepSettings {
    pub minutes: u64,
    pub memory: Bytes,
    pub file_size: Bytes,
    pub retention_days: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableSettings {
    pub max_rows: u64,
    pub max_bytes: Bytes,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderSettings {
    pub purchase_events: Vec<String>,
    pub refund_events: Vec<String>,
    #[serde(deserialize_with = "base_currency")]
    pub base_currency: String,
    pub order_key: OrderKey,
    pub fx_max_age_days: u32,
}

impl OrderSettings {
    /// Whether events of this name are purchases or refunds.
    pub fn is_of_orders(&self, event: &str) -> bool {
        self.is_refund(event) || self.purchase_events.iter().any(|name| name == event)
    }

    pub fn is_refund(&self, event: &str) -> bool {
        self.refund_events.iter().any(|name| name == event)
    }
}

/// What the number of an order counts within.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKey {
    /// A number is one order, wherever it comes from.
    #[default]
    OrderId,
    Source,
    Brand,
}

impl OrderKey {
    const ALL: [Self; 3] = [Self::OrderId, Self::Source, Self::Brand];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderId => "order_id",
            Self::Source => "source",
            Self::Brand => "brand",
        }
    }

    /// The column of events that a number counts within, if any.
    pub fn part(self) -> Option<&'static str> {
        (self != Self::OrderId).then_some(self.as_str())
    }
}

impl std::str::FromStr for OrderKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|key| key.as_str() == text);
        found.ok_or_else(|| Error::invalid(format!("'{text}' is not one of order_id, source, brand")))
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentitySettings {
    pub blocked_values: Vec<String>,
    pub checkpoint_nodes: u64,
    pub checkpoint_minutes: u64,
}

fn base_currency<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let code = currency_code(&text).map(str::to_ascii_uppercase);
    code.ok_or_else(|| serde::de::Error::custom(format!("base_currency: {}", not_a_currency(&text))))
}

/// The code of a currency within blanks: three letters in any case, kept in upper case.
pub fn currency_code(text: &str) -> Option<&str> {
    let code = text.trim();
    (code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_alphabetic())).then_some(code)
}

/// What is said of a text that is no currency.
pub fn not_a_currency(text: &str) -> String {
    format!("'{text}' is not a currency: write its code of three letters, such as USD")
}

/// One setting as a user may look it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub value: String,
    /// `default`, `file`, `environment` or `flag`.
    pub origin: &'static str,
}

/// A size in bytes, written as a number with an optional unit: `64MiB`, `2GB`, `1048576`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Bytes(pub usize);

impl std::str::FromStr for Bytes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || Error::invalid(format!("'{text}' is not a size: write it like 64MiB, 2GB or 1048576"));
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number: usize = text[..digits].parse().map_err(|_| refused())?;
        let unit: usize = match text[digits..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1_000,
            "kib" | "k" => 1 << 10,
            "mb" => 1_000_000,
            "mib" | "m" => 1 << 20,
            "gb" => 1_000_000_000,
            "gib" | "g" => 1 << 30,
            _ => return Err(refused()),
        };
        number.checked_mul(unit).map(Bytes).ok_or_else(refused)
    }
}

impl TryFrom<Value> for Bytes {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::String(text) => text.parse(),
            other => other.to_string().parse(),
        }
    }
}

impl Settings {
    /// Defaults, then `file` (TOML text), then `environment`, then `flags` (`section.key` and value).
    ///
    /// # Errors
    /// `InvalidInput` for an unknown key or a value of the wrong kind, with the key named.
    pub fn load(
        file: Option<&str>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self> {
        let mut merged = Layers::new()?;
        if let Some(text) = file {
            let table: Table = text.parse().map_err(|error| Error::invalid(format!("settings file: {error}")))?;
            merged.overlay_table(&table)?;
        }
        for (name, text) in environment {
            merged.overlay_environment(&name, &text)?;
        }
        for (key, text) in flags {
            merged.overlay(key, text, "flag")?;
        }
        merged.finish()
    }

    /// The defaults alone.
    pub fn defaults() -> Result<Self> {
        Self::load(None, std::iter::empty(), &[])
    }
}

/// Section and key that a variable of the environment names by its form.
fn setting_of(variable: &str) -> Option<(String, String)> {
    let rest = variable.strip_prefix(ENVIRONMENT_PREFIX)?.strip_prefix('_')?;
    let (section, key) = rest.split_once('_')?;
    Some((section.to_lowercase(), key.to_lowercase()))
}

/// What is said of variables whose section is there and whose key is not: nothing else tells of a slip of the pen. All
/// others may be those of other programs.
///
/// # Errors
/// `Internal` for defaults that cannot be read.
pub fn note_unknown_variables(variables: impl Iterator<Item = String>) -> Result<Vec<String>> {
    let known = Layers::new()?.values;
    let note = |variable: String| {
        let (section, key) = setting_of(&variable)?;
        let keys = known.get(&section)?.as_table()?;
        if keys.contains_key(&key) {
            return None;
        }
        let similar = similar_names(&key, keys.keys().map(String::as_str));
        let similar = similar.iter().map(|key| format!("{ENVIRONMENT_PREFIX}_{section}_{key}").to_uppercase());
        let hint = match similar.collect::<Vec<_>>().join(" or ") {
            none if none.is_empty() => "SELECT * FROM system.settings lists them".to_owned(),
            names => format!("did you mean {names}?"),
        };
        Some(format!("note: the variable {variable} is no setting and changes nothing: {hint}"))
    };
    Ok(variables.filter_map(note).collect())
}

/// Settings while they are merged: the values and where each comes from.
struct Layers {
    values: Table,
    origins: std::collections::BTreeMap<String, &'static str>,
}

impl Layers {
    fn new() -> Result<Self> {
        let values: Table = DEFAULTS.parse().map_err(|error| Error::internal(format!("default settings: {error}")))?;
        Ok(Self { values, origins: Default::default() })
    }

    fn overlay_table(&mut self, table: &Table) -> Result<()> {
        for (section, keys) in table {
            let Value::Table(keys) = keys else {
                return Err(Error::invalid(format!("setting '{section}' stands outside of a [section]")));
            };
            for (key, value) in keys {
                self.set(&format!("{section}.{key}"), value.clone(), "file")?;
            }
        }
        Ok(())
    }

    /// `CONVOKE_QUERY_MEMORY` is `query.memory`; other variables with our prefix are not settings.
    fn overlay_environment(&mut self, name: &str, text: &str) -> Result<()> {
        let Some((section, key)) = setting_of(name) else { return Ok(()) };
        let key = format!("{section}.{key}");
        if self.held(&key).is_none() {
            return Ok(());
        }
        self.overlay(&key, text, "environment")
    }

    /// Takes a text for a setting of any kind: the default tells which.
    fn overlay(&mut self, key: &str, text: &str, origin: &'static str) -> Result<()> {
        let refused = |what: &str| Error::invalid(format!("setting '{key}': '{text}' is not {what}"));
        let value = match self.held(key) {
            Some(Value::Integer(_)) => Value::Integer(text.parse().map_err(|_| refused("a whole number"))?),
            Some(Value::Boolean(_)) => Value::Boolean(text.parse().map_err(|_| refused("true or false"))?),
            Some(Value::Array(_)) => {
                Value::Array(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect())
            }
            _ => Value::String(text.to_owned()),
        };
        self.set(key, value, origin)
    }

    fn held(&self, key: &str) -> Option<&Value> {
        let (section, key) = key.split_once('.')?;
        self.values.get(section)?.get(key)
    }

    fn set(&mut self, key: &str, value: Value, origin: &'static str) -> Result<()> {
        if self.held(key).is_none() {
            let known: Vec<String> = self.entries().into_iter().map(|entry| entry.key).collect();
            let hint = did_you_mean(key, known.iter().map(String::as_str), "SELECT * FROM system.settings lists them");
            return Err(Error::invalid(format!("unknown setting '{key}': {hint}")));
        }
        if let Some((section, name)) = key.split_once('.')
            && let Some(Value::Table(table)) = self.values.get_mut(section)
        {
            table.insert(name.to_owned(), value);
        }
        self.origins.insert(key.to_owned(), origin);
        Ok(())
    }

    fn finish(self) -> Result<Settings> {
        let entries = self.entries();
        let mut settings: Settings = Value::Table(self.values)
            .try_into()
            .map_err(|error: toml::de::Error| Error::invalid(format!("settings: {}", error.message())))?;
        settings.entries = entries;
        Ok(settings)
    }

    fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (section, keys) in &self.values {
            for (key, value) in keys.as_table().into_iter().flatten() {
                let key = format!("{section}.{key}");
                let origin = self.origins.get(&key).copied().unwrap_or("default");
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                entries.push(Entry { key, value, origin });
            }
        }
        entries
    }
}
