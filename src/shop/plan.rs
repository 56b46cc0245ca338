//! What happens in the shop, in its own words: typed events that are both rendered to rows and counted for the truth.
//!
//! Data only. Must not know how an event is drawn, rendered or counted.

use super::catalog::{Fen, Product};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierKind {
    UserId,
    MemberNo,
    Email,
    Phone,
    WechatUnionid,
    DeviceId,
    AnonymousId,
}

impl IdentifierKind {
    pub const ALL: [Self; 7] = [
        Self::UserId,
        Self::MemberNo,
        Self::Email,
        Self::Phone,
        Self::WechatUnionid,
        Self::DeviceId,
        Self::AnonymousId,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::MemberNo => "member_no",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::WechatUnionid => "wechat_unionid",
            Self::DeviceId => "device_id",
            Self::AnonymousId => "anonymous_id",
        }
    }

    /// Whether a person with such an identifier is known.
    pub fn is_of_person(self) -> bool {
        !matches!(self, Self::DeviceId | Self::AnonymousId)
    }
}

#[derive(Debug, Clone)]
pub struct Identifier {
    pub kind: IdentifierKind,
    pub value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Web,
    App,
    MiniProgram,
    Store,
    Marketplace,
    CallCentre,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::App => "app",
            Self::MiniProgram => "mini_program",
            Self::Store => "store",
            Self::Marketplace => "marketplace",
            Self::CallCentre => "call_centre",
        }
    }
}

pub struct Event {
    /// Microseconds since 1970 in UTC.
    pub ts: i64,
    pub source: Source,
    pub channel: &'static str,
    pub identifiers: Vec<Identifier>,
    pub campaign: Option<&'static str>,
    pub action: Action,
}

pub enum Action {
    Identify(Box<Traits>),
    /// A page on the web, a screen in the app and the mini program.
    Page(&'static str),
    Searched(&'static str),
    Viewed(&'static Product, &'static str),
    Added(&'static Product, &'static str, i64),
    Ordered(Order),
    Refunded(Refund),
    Reviewed(&'static Product, &'static str, u32),
    Campaign(CampaignStep, Arm),
    Consent(&'static str, bool),
}

impl Action {
    /// The name of a track event or of a page.
    pub fn event_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Identify(_) => return None,
            Self::Page(name) => name,
            Self::Searched(_) => "Products Searched",
            Self::Viewed(..) => "Product Viewed",
            Self::Added(..) => "Product Added",
            Self::Ordered(_) => "Order Completed",
            Self::Refunded(_) => "Order Refunded",
            Self::Reviewed(..) => "Product Reviewed",
            Self::Campaign(CampaignStep::Sent, _) => "Campaign Sent",
            Self::Campaign(CampaignStep::HeldOut, _) => "Campaign Held Out",
            Self::Campaign(CampaignStep::Opened, _) => "Campaign Opened",
            Self::Campaign(CampaignStep::Clicked, _) => "Campaign Clicked",
            Self::Consent(..) => "Consent Changed",
        })
    }

    /// The Segment type of the event.
    pub fn kind(&self, source: Source) -> &'static str {
        match self {
            Self::Identify(_) => "identify",
            Self::Page(_) if source == Source::Web => "page",
            Self::Page(_) => "screen",
            _ => "track",
        }
    }
}

pub struct Order {
    pub id: String,
    pub brand: &'static str,
    pub store: Option<&'static str>,
    pub coupon: Option<&'static str>,
    pub lines: Vec<Line>,
}

impl Order {
    pub fn revenue(&self) -> Fen {
        self.lines.iter().map(|line| line.price * line.quantity).sum()
    }

    pub fn cost(&self) -> Fen {
        self.lines.iter().map(|line| line.product.cost * line.quantity).sum()
    }
}

pub struct Line {
    pub product: &'static Product,
    /// What was paid for one, after the coupon.
    pub price: Fen,
    pub quantity: i64,
}

pub struct Refund {
    pub order_id: String,
    pub brand: &'static str,
    pub store: Option<&'static str>,
    pub amount: Fen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignStep {
    Sent,
    HeldOut,
    Opened,
    Clicked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    Treatment,
    Holdout,
}

#[derive(Clone)]
pub struct Traits {
    pub name: String,
    pub sex: &'static str,
    /// (year, month, day).
    pub birthday: (i32, u32, u32),
    pub region: &'static str,
    pub city: &'static str,
    pub household_size: u32,
    pub acquisition_channel: &'static str,
    pub acquisition_cost: Fen,
}
