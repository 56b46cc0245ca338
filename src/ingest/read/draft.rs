//! One row of a text format on its way to an event: the rules that CSV and NDJSON share.
//!
//! A draft holds the row's values as text, by field; `push` types them and adds the event, or tells the reason why
//! there is none. Must not know the format that the values came from.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::coerce::{Reason, TimeParser, decimal_from_text, quantity_from_text, shown, trimmed};
use super::field::{EventField, EventKind, FIELD_COUNT};
use super::json::{Text, check_object, identifier_text};
use super::look_alike::Notes;
use super::mapping::{is_identifier_type, split_unescaped, unescape};
use super::options::ReadOptions;
use super::unread_revenue;
use crate::error::Result;
use crate::ingest::input::{InputBuilder, InputRow};
use crate::ingest::late_checks::LateChecks;

/// Names of the identifier that an event of type alias links its user to, in the Segment and RudderStack specs.
pub const PREVIOUS_ID: [&str; 2] = ["previous_id", "previousId"];

/// Whether a column or key of this name, in any case, holds it.
pub fn is_previous_id(name: &str) -> bool {
    PREVIOUS_ID.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The types of that identifier. The specs let it be an anonymous id or a user id and do not say which, so it counts as
/// both: an answer that asked what is known so far would change with the order of arrival.
pub const PREVIOUS_ID_TYPES: [&str; 2] = ["user_id", "anonymous_id"];

/// Values of one row.
#[derive(Default)]
pub struct Draft<'a> {
    pub row: i64,
    /// By [`EventField::index`]. A category is either here (one text with '/') or in `levels`.
    pub values: [Option<Cow<'a, str>>; FIELD_COUNT],
    /// (type, value) of the identifiers beyond `user_id` and `anonymous_id`.
    pub identifiers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// What an alias links its user to: see [`is_previous_id`].
    pub previous: Option<Cow<'a, str>>,
    /// The category from the root to the leaf, empty when the row has none.
    pub levels: Vec<Cow<'a, str>>,
}

/// Defaults and the time reader: made once a file.
pub struct DraftRules {
    times: TimeParser,
    kind: EventKind,
    event: Option<String>,
    source: Option<String>,
    /// By field: the column that feeds it, for messages.
    columns: [String; FIELD_COUNT],
    notes: Notes,
    late_checks: LateChecks,
}

impl DraftRules {
    pub fn new(options: &ReadOptions, columns: [String; FIELD_COUNT], notes: &Notes) -> Result<Self> {
        Ok(Self {
            notes: notes.clone(),
            times: TimeParser::new(options.time_zone, options.ts_format.as_deref())?,
            kind: options.kind.unwrap_or_default(),
            event: options.event.clone(),
            source: options.source.clone(),
            columns,
            late_checks: LateChecks::new(),
        })
    }

    /// Adds the row as an event, or says why it is none. Whether a later check may reject it: then its text is to be
    /// added, by [`InputBuilder::push_raw`].
    pub fn push(&self, draft: &Draft<'_>, builder: &mut InputBuilder) -> Result<bool, Reason> {
        let kind = self.kind_of(draft.text(EventField::Kind))?;
        let number = |field, read: fn(&str) -> Result<i128, Reason>| match draft.text(field) {
            None => Ok(None),
            Some(text) => read(text).map(Some).map_err(|reason| self.at(field, &reason)),
        };
        let ts = match draft.text(EventField::Ts) {
            Some(text) => self.times.instant_of_text(text).map_err(|reason| self.at(EventField::Ts, &reason))?,
            None => return Err(self.at(EventField::Ts, MISSING_TIME)),
        };
        let event = draft.text(EventField::Event).or(self.event.as_deref().filter(|_| kind.is_action()));
        if event.is_none() && kind == EventKind::Track {
            return Err(self.at(EventField::Event, &missing_event()));
        }
        let identifiers = self.identifiers(draft, kind)?;
        let levels = self.levels(draft);
        let levels: Vec<&str> = levels.iter().filter_map(|level| trimmed(level)).collect();
        let object = |field| match draft.text(field) {
            None => Ok(None),
            Some(text) => check_object(text).map(|()| Some(text)).map_err(|reason| self.at(field, &reason)),
        };
        let event = InputRow {
            row: Some(draft.row),
            message_id: draft.text(EventField::MessageId),
            ts: Some(ts),
            kind: Some(kind.name()),
            event,
            anonymous_id: draft.text(EventField::AnonymousId),
            user_id: draft.text(EventField::UserId),
            identifiers: &identifiers,
            channel: draft.text(EventField::Channel),
            source: draft.text(EventField::Source).or(self.source.as_deref()),
            brand: draft.text(EventField::Brand),
            store_id: draft.text(EventField::StoreId),
            campaign_id: draft.text(EventField::CampaignId),
            order_id: draft.text(EventField::OrderId),
            revenue: self.revenue(draft)?,
            cost: number(EventField::Cost, decimal_from_text)?,
            currency: draft.text(EventField::Currency),
            product_id: draft.text(EventField::ProductId),
            category: Some(levels.as_slice()).filter(|levels| !levels.is_empty()),
            quantity: number(EventField::Quantity, quantity_from_text)?,
            properties: object(EventField::Properties)?,
            context: object(EventField::Context)?,
            reject_reason: None,
            raw: None,
        };
        builder.push(&event);
        Ok(self.late_checks.may_reject(&event))
    }

    /// Whether a text is a time as this file writes them.
    pub fn is_time(&self, text: &str) -> bool {
        trimmed(text).is_some_and(|text| self.times.instant_of_text(text).is_ok())
    }

    fn revenue(&self, draft: &Draft<'_>) -> Result<Option<i128>, Reason> {
        let Some(text) = draft.text(EventField::Revenue) else { return Ok(None) };
        decimal_from_text(text).map(Some).or_else(|reason| {
            let has_product = draft.text(EventField::ProductId).is_some();
            if !unread_revenue::is_absent(text, draft.text(EventField::Properties), has_product) {
                return Err(self.at(EventField::Revenue, &reason));
            }
            self.notes.add_unread_revenue();
            Ok(None)
        })
    }

    /// A reason with the column it is about.
    pub fn at(&self, field: EventField, reason: &str) -> Reason {
        column_reason(&self.columns[field.index()], reason)
    }

    /// The row's type, the default where it has none.
    pub fn kind_of(&self, text: Option<&str>) -> Result<EventKind, Reason> {
        match text {
            None => Ok(self.kind),
            Some(text) => EventKind::from_name(text)
                .ok_or_else(|| self.at(EventField::Kind, &unknown_kind(text, &self.columns[EventField::Kind.index()]))),
        }
    }

    fn identifiers<'d>(&self, draft: &'d Draft<'_>, kind: EventKind) -> Result<Vec<(&'d str, &'d str)>, Reason> {
        let mut identifiers = Vec::with_capacity(draft.identifiers.len());
        if let Some(previous) = draft.previous.as_deref().and_then(trimmed).filter(|_| kind == EventKind::Alias) {
            identifiers.extend(PREVIOUS_ID_TYPES.map(|kind| (kind, previous)));
        }
        for (kind, value) in &draft.identifiers {
            let Some(value) = trimmed(value) else { continue };
            if !is_identifier_type(kind) {
                return Err(self.at(EventField::Identifiers, &bad_identifier_type(kind)));
            }
            identifiers.push((kind.as_ref(), value));
        }
        Ok(identifiers)
    }

    /// The category's levels, also where it came as one text.
    fn levels<'d>(&self, draft: &'d Draft<'_>) -> Cow<'d, [Cow<'d, str>]> {
        match draft.text(EventField::Category) {
            None => Cow::Borrowed(&draft.levels),
            Some(text) => Cow::Owned(split_levels(text)),
        }
    }
}

impl<'a> Draft<'a> {
    /// A field's value without blanks around it; `None` when it is empty.
    fn text(&self, field: EventField) -> Option<&str> {
        self.values[field.index()].as_deref().and_then(trimmed)
    }

    /// Adds identifiers given as a JSON array of objects with `type` and `value`.
    pub fn add_identifiers(&mut self, json: &'a str) -> Result<(), Reason> {
        #[derive(serde::Deserialize)]
        struct Identifier<'a> {
            #[serde(rename = "type", borrow)]
            kind: Text<'a>,
            #[serde(borrow)]
            value: Option<&'a RawValue>,
        }
        let list: Vec<Identifier<'a>> = serde_json::from_str(json)
            .map_err(|error| format!("{} is not an array of objects with type and value: {error}", shown(json)))?;
        for Identifier { kind, value } in list {
            if let Some(value) = value.map(identifier_text).transpose()?.flatten() {
                self.identifiers.push((identifier_type(kind.0), value));
            }
        }
        Ok(())
    }
}

/// Type names count in any case; what is none stays as it is, for the message about it.
pub fn identifier_type(kind: Cow<'_, str>) -> Cow<'_, str> {
    if is_identifier_type(&kind) {
        return kind;
    }
    let folded = trimmed(&kind).unwrap_or_default().to_ascii_lowercase();
    if is_identifier_type(&folded) { Cow::Owned(folded) } else { kind }
}

/// `women/tops/shirts` as levels; `\/` is a '/' inside a name.
pub fn split_levels<'a>(text: &'a str) -> Vec<Cow<'a, str>> {
    match text.contains('\\') {
        true => split_unescaped(text, '/').iter().map(|level| Cow::Owned(unescape(level))).collect(),
        false => text.split('/').map(Cow::Borrowed).collect(),
    }
}

pub const MISSING_TIME: &str = "the time of the event is missing";

/// Why an event of type track without a name is none, whichever way it comes.
pub const NAMELESS_TRACK: &str = "an event of type track needs a name";

/// The same with what the flags of a load can do about it.
pub fn missing_event() -> Reason {
    format!("{NAMELESS_TRACK}: --event NAME gives one to rows without, --type names another type")
}

pub fn column_reason(column: &str, reason: &str) -> Reason {
    format!("column '{column}': {reason}")
}

pub fn unknown_kind(value: &str, column: &str) -> Reason {
    format!(
        "{} is not a type of event (track, identify, page, screen, group, alias); if the column has names of events, add \
         --map 'event={column}', if it is about something else, --map 'properties.{column}={column}'",
        shown(value)
    )
}

pub fn bad_identifier_type(kind: &str) -> Reason {
    format!("{} is not an identifier type: use lower-case letters, digits and '_', a letter first", shown(kind))
}
