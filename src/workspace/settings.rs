//! What a workspace sets for itself: `key=value` in, checked values out. What it leaves unset is the server's setting.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use toml::Value;

use crate::error::{Error, Result};
use crate::identity::{AddedType, BlockedValues, IdentifierClass, IdentifierTypes, Place, Rulebook};
use crate::settings::{
    IdentitySettings, OrderKey, OrderSettings, Settings, currency_code, did_you_mean, not_a_currency,
};
use crate::store::events::schema;

/// Elements of one list at most.
const MAX_ELEMENTS: usize = 1_000;
/// Longest element of a list in bytes.
const MAX_ELEMENT_BYTES: usize = 512;

/// Columns of `events` that hold personal data in every workspace.
const PII_COLUMNS: [&str; 5] = ["anonymous_id", "user_id", "identifiers", "properties", "context"];
/// Columns of JSON objects, whose keys may be named one by one.
const OBJECT_COLUMNS: [&str; 2] = ["properties", "context"];

/// The settings of a workspace; `None` and empty lists of additions leave the server's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkspaceSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purchase_events: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_events: Option<Vec<String>>,
    /// Currency of orders that name none, and of `net_base`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_currency: Option<String>,
    /// What a number of an order counts within.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_key: Option<OrderKey>,
    /// Age in days beyond which an exchange rate no longer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fx_max_age_days: Option<u32>,
    /// Identifier types beyond those that come with the program.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifier_types: Vec<AddedType>,
    /// Values that identify nobody, beyond those that are built in and the server's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocked_values: Vec<String>,
    /// The rules of identity stitching, as [`Rulebook::to_text`] writes them. They say all types and blocked values: the
    /// two lists above are empty beside them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_rules: Option<String>,
    /// Columns of `events`, or keys of its objects (`properties.phone`), that hold personal data, beyond the usual ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pii_columns: Vec<String>,
}

/// The keys, each with its section in `system.settings`.
const KEYS: [(&str, &str); 8] = [
    ("purchase_events", "orders"),
    ("refund_events", "orders"),
    ("base_currency", "orders"),
    ("order_key", "orders"),
    ("fx_max_age_days", "orders"),
    ("identifier_types", "identity"),
    ("blocked_values", "identity"),
    ("pii_columns", "workspace"),
];

/// What identity rules say, too, once a workspace has some.
const IN_RULES: [&str; 2] = ["identifier_types", "blocked_values"];

impl WorkspaceSettings {
    /// These settings after `pairs` of key and value; an empty value takes a setting back.
    ///
    /// # Errors
    /// `InvalidInput` for an unknown key, with similar ones, a value that is none, or settings that contradict each
    /// other. `server` has what the workspace leaves unset.
    pub fn with(&self, pairs: &[(String, String)], server: &Settings) -> Result<Self> {
        let mut settings = self.clone();
        for (key, text) in pairs {
            settings.set(key, text.trim()).map_err(|error| error.context(format!("setting '{key}'")))?;
        }
        let orders = settings.orders(&server.orders);
        if let Some(both) = orders.purchase_events.iter().find(|event| orders.refund_events.contains(event)) {
            return Err(Error::invalid(format!("event '{both}' cannot be both in purchase_events and refund_events")));
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, text: &str) -> Result<()> {
        let key = short_key(key)?;
        if self.identity_rules.is_some() && IN_RULES.contains(&key) {
            return Err(Error::invalid(
                "the identity rules of this workspace say it: `convoke identity rules` shows them, and stores a file with \
                 others",
            ));
        }
        match key {
            "purchase_events" => self.purchase_events = optional(text, list)?,
            "refund_events" => self.refund_events = optional(text, list)?,
            "base_currency" => self.base_currency = optional(text, currency)?,
            "order_key" => self.order_key = optional(text, str::parse)?,
            "fx_max_age_days" => self.fx_max_age_days = optional(text, age_in_days)?,
            "identifier_types" => {
                let types = list(text)?.iter().map(|text| added_type(text)).collect::<Result<Vec<_>>>()?;
                IdentifierTypes::with_added(&types)?;
                self.identifier_types = types;
            }
            "blocked_values" => self.blocked_values = list(text)?,
            // `short_key` lets nothing else through.
            _ => {
                let columns = list(text)?;
                columns.iter().try_for_each(|column| check_pii_column(column))?;
                self.pii_columns = columns;
            }
        }
        Ok(())
    }

    /// The rules of orders that hold in the workspace.
    pub fn orders(&self, server: &OrderSettings) -> OrderSettings {
        OrderSettings {
            purchase_events: self.purchase_events.clone().unwrap_or_else(|| server.purchase_events.clone()),
            refund_events: self.refund_events.clone().unwrap_or_else(|| server.refund_events.clone()),
            base_currency: self.base_currency.clone().unwrap_or_else(|| server.base_currency.to_ascii_uppercase()),
            order_key: self.order_key.unwrap_or(server.order_key),
            fx_max_age_days: self.fx_max_age_days.unwrap_or(server.fx_max_age_days),
        }
    }

    /// The rules of identity stitching that hold in the workspace.
    ///
    /// # Errors
    /// `InvalidInput` for settings that were not checked.
    pub fn rulebook(&self) -> Result<Rulebook> {
        match &self.identity_rules {
            Some(text) => Rulebook::parse(text),
            None => {
                let types = Arc::new(IdentifierTypes::with_added(&self.identifier_types)?);
                Ok(Rulebook::of_types(&types, &self.blocked_values))
            }
        }
    }

    /// These settings with the rules of a text, which take the place of the added types and the blocked values.
    ///
    /// # Errors
    /// `InvalidInput` for a text that cannot be used, and for rules that are not supported yet.
    pub fn with_identity_rules(&self, text: &str) -> Result<Self> {
        let rulebook = Rulebook::parse(text)?;
        rulebook.check_supported()?;
        Ok(Self {
            identity_rules: Some(rulebook.to_text()),
            identifier_types: Vec::new(),
            blocked_values: Vec::new(),
            ..self.clone()
        })
    }

    /// All blocked values that have a name: those built in, the server's, the workspace's.
    fn blocked_texts(&self, server: &IdentitySettings, rulebook: &Rulebook) -> Vec<String> {
        let built_in = BlockedValues::built_in().map(str::to_owned);
        built_in.chain(server.blocked_values.iter().chain(rulebook.blocked_values()).cloned()).collect()
    }

    /// Keys of `column` whose values are personal data, `None` when all are.
    pub fn pii_keys(&self, column: &str) -> Option<Vec<&str>> {
        if self.pii_columns.iter().any(|named| named == column) {
            return None;
        }
        let keys = self.pii_columns.iter().filter_map(|named| named.split_once('.'));
        Some(keys.filter(|(of, _)| *of == column).map(|(_, key)| key).collect())
    }

    /// (key, value, whether the workspace set it) of all settings that a workspace may set, as they hold.
    pub fn entries(&self, server: &Settings) -> Vec<(String, String, bool)> {
        let orders = self.orders(&server.orders);
        // It was checked when it was set.
        let rulebook = self.rulebook().unwrap_or_default();
        let has_rules = self.identity_rules.is_some();
        let columns = PII_COLUMNS.map(str::to_owned).into_iter().chain(self.pii_columns.iter().cloned());
        let values = [
            (list_text(&orders.purchase_events), self.purchase_events.is_some()),
            (list_text(&orders.refund_events), self.refund_events.is_some()),
            (orders.base_currency, self.base_currency.is_some()),
            (orders.order_key.as_str().to_owned(), self.order_key.is_some()),
            (orders.fx_max_age_days.to_string(), self.fx_max_age_days.is_some()),
            (types_text(rulebook.types()), has_rules || !self.identifier_types.is_empty()),
            (list_text(&self.blocked_texts(&server.identity, &rulebook)), has_rules || !self.blocked_values.is_empty()),
            (list_text(&columns.collect::<Vec<_>>()), !self.pii_columns.is_empty()),
        ];
        let keys = KEYS.iter().map(|(key, section)| format!("{section}.{key}"));
        keys.zip(values).map(|(key, (value, own))| (key, value, own)).collect()
    }

    /// What the workspace itself set: key and value, the added types and blocked values alone in place of all.
    pub fn own(&self, server: &Settings) -> Vec<(String, String)> {
        let added: Vec<String> =
            self.identifier_types.iter().map(|added| format!("{}:{}", added.name, added.class.as_str())).collect();
        let is_in_rules = |key: &str| self.identity_rules.is_some() && IN_RULES.iter().any(|of| key.ends_with(of));
        let entries = self.entries(server).into_iter().filter(|(key, _, own)| *own && !is_in_rules(key));
        entries
            .map(|(key, value, _)| match key.rsplit('.').next() {
                Some("identifier_types") => (key, list_text(&added)),
                Some("blocked_values") => (key, list_text(&self.blocked_values)),
                _ => (key, value),
            })
            .chain(self.identity_rules.iter().map(|_| ("identity rules".to_owned(), "its own".to_owned())))
            .collect()
    }
}

/// All types as `name:class`, highest priority first.
fn types_text(types: &IdentifierTypes) -> String {
    let by_priority = types.by_priority().into_iter();
    let texts: Vec<String> = by_priority.map(|id| format!("{}:{}", types.name(id), types.class(id).as_str())).collect();
    list_text(&texts)
}

/// `orders.purchase_events` and `purchase_events` are the same key.
fn short_key(key: &str) -> Result<&'static str> {
    let found = KEYS.iter().find(|(short, section)| {
        key == *short || key.split_once('.').is_some_and(|(first, rest)| first == *section && rest == *short)
    });
    if let Some((short, _)) = found {
        return Ok(short);
    }
    if key.rsplit('.').next() == Some("time_zone") {
        return Err(Error::invalid(
            "the time zone is fixed when a workspace is made: `convoke workspace create --time-zone`",
        ));
    }
    let names = KEYS.map(|(short, _)| short);
    let hint = did_you_mean(key, names, &format!("a workspace has {}", names.join(", ")));
    Err(Error::invalid(format!("there is no such setting of a workspace; {hint}")))
}

fn optional<T>(text: &str, parse: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// `a, b`, or a JSON list for texts with commas and for a list without elements.
fn list(text: &str) -> Result<Vec<String>> {
    let elements: Vec<String> = if text.starts_with('[') {
        serde_json::from_str(text)
            .map_err(|error| Error::invalid(format!("'{text}' is not a JSON list of texts: {error}")))?
    } else if text.is_empty() {
        Vec::new()
    } else {
        text.split(',').map(|part| part.trim().to_owned()).collect()
    };
    if elements.len() > MAX_ELEMENTS {
        return Err(Error::invalid(format!("a list has {MAX_ELEMENTS} elements at most")));
    }
    for (at, element) in elements.iter().enumerate() {
        if element.trim().is_empty() || element.len() > MAX_ELEMENT_BYTES {
            return Err(Error::invalid(format!(
                "element {} of the list is empty or longer than {MAX_ELEMENT_BYTES} bytes",
                at + 1
            )));
        }
        if elements[..at].contains(element) {
            return Err(Error::invalid(format!("'{element}' is in the list twice")));
        }
    }
    Ok(elements)
}

/// A currency in upper case, from a code of three letters in any case.
pub fn currency(text: &str) -> Result<String> {
    currency_code(text).map(str::to_ascii_uppercase).ok_or_else(|| Error::invalid(not_a_currency(text)))
}

fn age_in_days(text: &str) -> Result<u32> {
    let refused =
        || Error::invalid(format!("'{text}' is not an age in days: write a whole number, 0 for the same day"));
    text.parse().map_err(|_| refused())
}

/// `card_no:person`, `card_no:person:before email`, `card_no:person:after email`.
fn added_type(text: &str) -> Result<AddedType> {
    let refused = || {
        Error::invalid(format!(
            "'{text}' is not an identifier type: write name:class, name:class:before TYPE or name:class:after TYPE, where \
             class is person, device or cookie"
        ))
    };
    let mut parts = text.splitn(3, ':').map(str::trim);
    let (Some(name), Some(class)) = (parts.next(), parts.next()) else { return Err(refused()) };
    let class = IdentifierClass::ALL.into_iter().find(|known| known.as_str() == class).ok_or_else(refused)?;
    let place = match parts.next().map(|place| place.split_whitespace().collect::<Vec<_>>()).as_deref() {
        None => None,
        Some(["before", other]) => Some(Place::Before((*other).to_owned())),
        Some(["after", other]) => Some(Place::After((*other).to_owned())),
        Some(_) => return Err(refused()),
    };
    Ok(AddedType { name: name.to_owned(), class, place })
}

fn check_pii_column(name: &str) -> Result<()> {
    if schema::MIN_MAX_COLUMNS.contains(&name) || name == "person" {
        return Err(Error::invalid(format!(
            "column '{name}' cannot be one of personal data: its smallest and largest values in the table's log are how \
             files are skipped"
        )));
    }
    if let Some((column, key)) = name.split_once('.')
        && OBJECT_COLUMNS.contains(&column)
        && !key.is_empty()
    {
        return Ok(());
    }
    let stored = schema::stored();
    let columns: Vec<&str> =
        stored.fields().iter().map(|field| field.name().as_str()).filter(|name| schema::is_shown(name)).collect();
    if columns.contains(&name) {
        return Ok(());
    }
    let hint = did_you_mean(name, columns.iter().copied(), "name a column, or a key such as properties.phone");
    Err(Error::invalid(format!("events have no column '{name}'; {hint}")))
}

fn list_text(elements: &[String]) -> String {
    Value::Array(elements.iter().cloned().map(Value::String).collect()).to_string()
}

#[cfg(test)]
mod tests;
