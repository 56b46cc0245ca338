//! Who a customer is: what she is known by, where she shops, her traits, and which identifiers she shares with others.
//!
//! Everything follows from the index and the person's random stream. Must not know what she does.

use super::calendar;
use super::catalog::{Fen, STORES};
use super::plan::{Identifier, IdentifierKind, Source, Traits};
use super::random::Dice;

/// Persons 6 and 7 of every 50 are a family that uses one e-mail address.
const FAMILY: (u32, u32, u32) = (50, 6, 7);

/// Person 11 of every 500 signs up on the tablet of a store; one tablet serves 4,000 indexes, hence eight persons.
const TABLET: (u32, u32, u32) = (500, 11, 4000);

/// Person 29 of every 97 was born on 29 February.
const LEAP_DAY: (u32, u32) = (97, 29);

/// (channel, cost of one acquisition).
const ACQUISITION: [(&str, Fen); 6] =
    [("search", 3800), ("social", 2600), ("direct", 0), ("referral", 1500), ("ads", 6400), ("email", 900)];
const ACQUISITION_WEIGHTS: [u32; 6] = [28, 24, 18, 10, 14, 6];

const REGIONS: [(&str, [&str; 2]); 8] = [
    ("Guangdong", ["Guangzhou", "Shenzhen"]),
    ("Shanghai", ["Shanghai", "Shanghai"]),
    ("Beijing", ["Beijing", "Beijing"]),
    ("Zhejiang", ["Hangzhou", "Ningbo"]),
    ("Sichuan", ["Chengdu", "Mianyang"]),
    ("Hubei", ["Wuhan", "Yichang"]),
    ("Fujian", ["Fuzhou", "Xiamen"]),
    ("Xinjiang", ["Urumqi", "Kashgar"]),
];
const REGION_WEIGHTS: [u32; 8] = [24, 14, 12, 16, 12, 9, 8, 5];

const FAMILY_NAMES: [&str; 12] = ["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "欧阳", "林"];
const GIVEN_NAMES: [&str; 12] = ["伟", "芳", "娜", "敏", "静", "强", "磊", "洋", "艳", "杰", "秀英", "子涵"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Has cookies only.
    Browser,
    /// Has an account: user id and e-mail, often more.
    Account,
    /// Has a member card of the stores and nothing online.
    Card,
    /// Buys on a marketplace, which hands over an e-mail address only.
    Marketplace,
}

pub struct Person {
    pub index: u32,
    pub kind: Kind,
    pub buys: bool,
    /// Browses with two cookies for weeks, then logs in on both: planted, see the module header of `shop`.
    pub late_login: bool,
    pub cookie: String,
    /// Cookie and device of the app.
    pub app: Option<(String, String)>,
    pub user_id: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub unionid: Option<String>,
    pub member_no: Option<String>,
    /// The cookie of the store's tablet that the person signed up on.
    pub tablet: Option<String>,
    /// Where most visits happen.
    pub home: Source,
    pub store: &'static str,
    pub favourite_leaf: usize,
    pub traits: Traits,
}

/// Whether `index` belongs to the table row (period, remainder).
fn falls_on(index: u32, period: u32, remainder: u32) -> bool {
    index % period == remainder
}

impl Person {
    pub fn draw(index: u32, dice: &mut Dice) -> Self {
        let in_family = falls_on(index, FAMILY.0, FAMILY.1) || falls_on(index, FAMILY.0, FAMILY.2);
        let on_tablet = falls_on(index, TABLET.0, TABLET.1);
        let kind = match dice.weighted(&[400, 500, 65, 35]) {
            _ if in_family || on_tablet => Kind::Account,
            0 => Kind::Browser,
            1 => Kind::Account,
            2 => Kind::Card,
            _ => Kind::Marketplace,
        };
        let account = kind == Kind::Account;
        let late_login = account && dice.chance(150);
        let buys = kind == Kind::Marketplace || (kind != Kind::Browser && dice.chance(740));
        let app_share = if account { 500 } else { 200 };
        let has_app = late_login || (matches!(kind, Kind::Account | Kind::Browser) && dice.chance(app_share));
        let has_phone = account && dice.chance(700);
        let has_card = account && dice.chance(300);
        let has_wechat = account && dice.chance(350);
        let email_index = if falls_on(index, FAMILY.0, FAMILY.2) { index - 1 } else { index };
        let traits = draw_traits(index, dice);
        let mut person = Self {
            index,
            kind,
            buys,
            late_login,
            cookie: format!("{}{}", dice.hex(), dice.hex()),
            app: has_app.then(|| (format!("{}{}", dice.hex(), dice.hex()), dice.hex().to_uppercase())),
            user_id: account.then(|| format!("u{index:08}")),
            email: (account || kind == Kind::Marketplace).then(|| format!("customer{email_index}@example.com")),
            phone: (has_phone || kind == Kind::Card || on_tablet).then(|| format!("+86130{index:08}")),
            unionid: has_wechat.then(|| format!("o6{}", dice.hex())),
            member_no: (has_card || kind == Kind::Card || on_tablet).then(|| format!("M{index:09}")),
            tablet: on_tablet.then(|| format!("tablet-{:05}", index / TABLET.2)),
            home: Source::Web,
            store: draw_store(traits.region, dice),
            favourite_leaf: dice.below(super::catalog::LEAF_COUNT as u32) as usize,
            traits,
        };
        person.home = person.draw_source(dice);
        person
    }

    /// A source that the person can use.
    pub fn draw_source(&self, dice: &mut Dice) -> Source {
        let browses = matches!(self.kind, Kind::Browser | Kind::Account);
        let weight = |possible: bool, weight: u32| if possible { weight } else { 0 };
        let weights = [
            weight(browses, 30),
            weight(self.app.is_some(), 40),
            weight(self.unionid.is_some(), 25),
            weight(self.member_no.is_some(), 25),
            weight(self.kind == Kind::Marketplace || (self.kind == Kind::Account && self.buys), 6),
            weight(self.phone.is_some() && self.buys, 3),
        ];
        let sources =
            [Source::Web, Source::App, Source::MiniProgram, Source::Store, Source::Marketplace, Source::CallCentre];
        sources[dice.weighted(&weights)]
    }

    /// What the person shows on a source, logged in or not.
    pub fn identifiers_on(&self, source: Source, logged_in: bool) -> Vec<Identifier> {
        let mut shown = Vec::with_capacity(4);
        let mut show = |kind: IdentifierKind, value: Option<&String>| {
            if let Some(value) = value {
                shown.push(Identifier { kind, value: value.clone() });
            }
        };
        match source {
            Source::Web => show(IdentifierKind::AnonymousId, Some(&self.cookie)),
            Source::App => {
                show(IdentifierKind::AnonymousId, self.app.as_ref().map(|(cookie, _)| cookie));
                show(IdentifierKind::DeviceId, self.app.as_ref().map(|(_, device)| device));
            }
            Source::MiniProgram => show(IdentifierKind::WechatUnionid, self.unionid.as_ref()),
            Source::Store => show(IdentifierKind::MemberNo, self.member_no.as_ref()),
            Source::Marketplace => show(IdentifierKind::Email, self.email.as_ref()),
            Source::CallCentre => show(IdentifierKind::Phone, self.phone.as_ref()),
        }
        if logged_in && matches!(source, Source::Web | Source::App) {
            show(IdentifierKind::UserId, self.user_id.as_ref());
        }
        shown
    }

    /// The second one of a family: shares the e-mail address of the person before.
    pub fn shares_email(&self) -> bool {
        falls_on(self.index, FAMILY.0, FAMILY.2)
    }
}

/// A store of the region, or any one where the region has none.
fn draw_store(region: &str, dice: &mut Dice) -> &'static str {
    let near = STORES.map(|(_, place)| u32::from(place == region));
    let weights = if near.contains(&1) { near } else { [1; STORES.len()] };
    STORES[dice.weighted(&weights)].0
}

fn draw_traits(index: u32, dice: &mut Dice) -> Traits {
    let (region, cities) = REGIONS[dice.weighted(&REGION_WEIGHTS)];
    let (acquisition_channel, cost) = ACQUISITION[dice.weighted(&ACQUISITION_WEIGHTS)];
    let acquisition_cost = cost + cost * Fen::from(dice.below(41)) / 100;
    Traits {
        name: format!("{}{}", dice.pick(&FAMILY_NAMES), dice.pick(&GIVEN_NAMES)),
        sex: ["female", "male", "unknown"][dice.weighted(&[62, 33, 5])],
        birthday: draw_birthday(index, dice),
        region,
        city: dice.pick(&cities),
        household_size: 1 + dice.weighted(&[24, 27, 30, 14, 5]) as u32,
        acquisition_channel,
        acquisition_cost,
    }
}

fn draw_birthday(index: u32, dice: &mut Dice) -> (i32, u32, u32) {
    let year = dice.between(1955, 2006);
    if falls_on(index, LEAP_DAY.0, LEAP_DAY.1) {
        return (year - year % 4, 2, 29);
    }
    let month = dice.between(1, 12) as u32;
    (year, month, dice.between(1, calendar::days_in_month(year, month)) as u32)
}
