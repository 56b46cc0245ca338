//! The fields of an event by name, and how the value of each is treated. Must not know any file format.

use serde::Serialize;

/// One field of [`crate::ingest::input::schema`] that a column can feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventField {
    MessageId,
    Ts,
    Kind,
    Event,
    AnonymousId,
    UserId,
    Identifiers,
    Channel,
    Source,
    Brand,
    StoreId,
    CampaignId,
    OrderId,
    Revenue,
    Cost,
    Currency,
    ProductId,
    Category,
    Quantity,
    Properties,
    Context,
}

/// How a field's value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// A name: text without surrounding blanks.
    Text,
    /// An identifier: likewise, and a whole number is written without a fraction.
    Id,
    Time,
    Decimal,
    /// Likewise, with more digits: what is computed of it is not computed of a rounded one.
    Quantity,
    Kind,
    /// Levels from the root to the leaf.
    Path,
    /// A JSON object.
    Object,
    /// (type, value) pairs.
    Identifiers,
}

/// Number of fields, for tables with one entry a field.
pub const FIELD_COUNT: usize = 21;

/// Field, its name, its name in the Segment spec where that differs, its treatment; in the order of the enum.
const FIELDS: [(EventField, &str, Option<&str>, Treatment); FIELD_COUNT] = [
    (EventField::MessageId, "message_id", Some("messageId"), Treatment::Id),
    (EventField::Ts, "ts", Some("timestamp"), Treatment::Time),
    (EventField::Kind, "type", None, Treatment::Kind),
    (EventField::Event, "event", None, Treatment::Text),
    (EventField::AnonymousId, "anonymous_id", Some("anonymousId"), Treatment::Id),
    (EventField::UserId, "user_id", Some("userId"), Treatment::Id),
    (EventField::Identifiers, "identifiers", None, Treatment::Identifiers),
    (EventField::Channel, "channel", None, Treatment::Text),
    (EventField::Source, "source", None, Treatment::Text),
    (EventField::Brand, "brand", None, Treatment::Text),
    (EventField::StoreId, "store_id", Some("storeId"), Treatment::Id),
    (EventField::CampaignId, "campaign_id", Some("campaignId"), Treatment::Id),
    (EventField::OrderId, "order_id", Some("orderId"), Treatment::Id),
    (EventField::Revenue, "revenue", None, Treatment::Decimal),
    (EventField::Cost, "cost", None, Treatment::Decimal),
    (EventField::Currency, "currency", None, Treatment::Id),
    (EventField::ProductId, "product_id", Some("productId"), Treatment::Id),
    (EventField::Category, "category", None, Treatment::Path),
    (EventField::Quantity, "quantity", None, Treatment::Quantity),
    (EventField::Properties, "properties", None, Treatment::Object),
    (EventField::Context, "context", None, Treatment::Object),
];

impl EventField {
    pub fn all() -> impl Iterator<Item = EventField> {
        FIELDS.iter().map(|(field, ..)| *field)
    }

    /// Place in tables with one entry a field.
    pub fn index(self) -> usize {
        self as usize
    }

    pub fn name(self) -> &'static str {
        FIELDS[self.index()].1
    }

    /// The Segment spec's name where that differs from ours.
    pub fn alias(self) -> Option<&'static str> {
        FIELDS[self.index()].2
    }

    pub fn treatment(self) -> Treatment {
        FIELDS[self.index()].3
    }

    /// Whether its values are numbers that people write with decimals.
    pub fn is_number(self) -> bool {
        matches!(self.treatment(), Treatment::Decimal | Treatment::Quantity)
    }

    /// By the field's own name or that of the Segment spec, in any case.
    pub fn from_name(name: &str) -> Option<EventField> {
        Self::all().find(|field| field.name_match(name).is_some())
    }

    /// How well a column's name is that of the field, whose name counts in any case: 0 is best, `None` is not at all.
    pub fn name_match(self, column: &str) -> Option<u8> {
        let (name, alias) = (self.name(), self.alias());
        if column == name {
            Some(0)
        } else if column.eq_ignore_ascii_case(name) {
            Some(1)
        } else {
            let alias = alias.filter(|alias| column.eq_ignore_ascii_case(alias))?;
            Some(if column == alias { 2 } else { 3 })
        }
    }
}

/// What sort of event a row is: its `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EventKind {
    #[default]
    Track,
    Identify,
    Page,
    Screen,
    Group,
    Alias,
}

impl EventKind {
    pub const ALL: [EventKind; 6] =
        [EventKind::Track, EventKind::Identify, EventKind::Page, EventKind::Screen, EventKind::Group, EventKind::Alias];

    pub fn name(self) -> &'static str {
        match self {
            EventKind::Track => "track",
            EventKind::Identify => "identify",
            EventKind::Page => "page",
            EventKind::Screen => "screen",
            EventKind::Group => "group",
            EventKind::Alias => "alias",
        }
    }

    /// By its name in any case.
    pub fn from_name(name: &str) -> Option<EventKind> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    /// Something that a person did, as opposed to a statement about the person: a default event name applies to it.
    pub fn is_action(self) -> bool {
        matches!(self, EventKind::Track | EventKind::Page | EventKind::Screen)
    }

    /// The Segment spec puts the properties of these under `traits`.
    pub fn has_traits(self) -> bool {
        matches!(self, EventKind::Identify | EventKind::Group)
    }
}

impl std::str::FromStr for EventKind {
    type Err = crate::error::Error;

    fn from_str(name: &str) -> crate::error::Result<Self> {
        Self::from_name(name).ok_or_else(|| {
            crate::error::Error::invalid(format!(
                "'{name}' is not a type of event: use track, identify, page, screen, group or alias"
            ))
        })
    }
}
