//! How persons become known: accounts, member cards, WeChat bindings, log-ins on a second device, consents.
//!
//! Each event that carries two identifiers is an edge of the identity graph. Must not know how the graph is resolved.

use super::calendar::{self, LAST_DAY};
use super::person::Kind;
use super::plan::{Action, Identifier, IdentifierKind, Source};
use super::script::Script;

/// Channels that a customer is asked to allow, with the share that does, per mille.
pub const CONSENT_CHANNELS: [(&str, u32); 3] = [("email", 780), ("sms", 560), ("push", 640)];

impl Script {
    /// All sign-ups of a known person, at or after the day of registration.
    pub fn sign_up(&mut self) {
        let (source, day) = match self.person.kind {
            Kind::Card => (Source::Store, self.registered),
            Kind::Marketplace => return,
            _ => (Source::Web, self.registered),
        };
        let second = calendar::busy_second(&mut self.dice) / 4;
        let ids = self.person.identifiers_on(source, true);
        let person = &self.person;
        let more = [(IdentifierKind::Email, &person.email), (IdentifierKind::Phone, &person.phone)];
        let ids = self.with(ids, &more);
        self.identify(calendar::instant(day, second), source, ids);
        if self.person.kind == Kind::Account {
            self.log_in_on_app();
            self.bind_wechat(day);
            self.take_card(day);
            self.use_tablet(day);
        }
        self.move_house(day, source);
    }

    fn identify(&mut self, ts: i64, source: Source, ids: Vec<Identifier>) {
        let channel = if source == Source::Store { "store" } else { self.person.traits.acquisition_channel };
        let traits = Box::new(self.person.traits.clone());
        self.push(ts, source, channel, ids, Action::Identify(traits));
    }

    fn log_in_on_app(&mut self) {
        if self.person.app.is_none() || self.app_login > LAST_DAY {
            return;
        }
        let ts = calendar::instant(self.app_login, 80_000);
        let ids = self.person.identifiers_on(Source::App, true);
        self.push(ts, Source::App, "direct", ids, Action::Page("Login"));
    }

    /// One in five mini-program users never gives a phone number there and stays a person apart.
    fn bind_wechat(&mut self, day: i32) {
        if self.person.unionid.is_none() || self.person.phone.is_none() || self.dice.chance(200) {
            return;
        }
        let ids = self.person.identifiers_on(Source::MiniProgram, true);
        let ids = self.with(ids, &[(IdentifierKind::Phone, &self.person.phone)]);
        self.identify(calendar::instant(day, 81_000), Source::MiniProgram, ids);
    }

    fn take_card(&mut self, day: i32) {
        if self.person.member_no.is_none() {
            return;
        }
        let ids = self.person.identifiers_on(Source::Store, true);
        let more = [(IdentifierKind::Phone, &self.person.phone), (IdentifierKind::UserId, &self.person.user_id)];
        let ids = self.with(ids, &more);
        self.identify(calendar::instant(day, 82_000), Source::Store, ids);
    }

    fn use_tablet(&mut self, day: i32) {
        if self.person.tablet.is_none() {
            return;
        }
        let ids = self.person.identifiers_on(Source::Store, true);
        let ids = self.with(ids, &[(IdentifierKind::AnonymousId, &self.person.tablet)]);
        self.identify(calendar::instant(day, 82_500), Source::Store, ids);
    }

    /// One in twelve gets a new household later: the last value of a trait is the one that counts.
    fn move_house(&mut self, day: i32, source: Source) {
        let later = day + 60 + self.dice.between(0, 200);
        if later > LAST_DAY || !self.dice.chance(83) {
            return;
        }
        self.person.traits.household_size += 1;
        let ids = self.person.identifiers_on(source, true);
        self.identify(calendar::instant(later, 40_000), source, ids);
    }

    /// What the person allows at registration, and perhaps takes back: (channel, first day, day of the end).
    pub fn consents(&mut self) -> Vec<(&'static str, i32, i32)> {
        let mut given = Vec::new();
        if self.person.kind != Kind::Account {
            return given;
        }
        for (channel, share) in CONSENT_CHANNELS {
            let granted = self.dice.chance(share);
            self.consent(self.registered, channel, granted);
            if !granted {
                continue;
            }
            let end = self.registered + 20 + self.dice.between(0, 500);
            let withdrawn = self.dice.chance(120) && end <= LAST_DAY;
            if withdrawn {
                self.consent(end, channel, false);
            }
            given.push((channel, self.registered, if withdrawn { end } else { LAST_DAY + 1 }));
        }
        given
    }

    fn consent(&mut self, day: i32, channel: &'static str, granted: bool) {
        let ids = self.person.identifiers_on(Source::Web, true);
        self.push(calendar::instant(day, 83_000), Source::Web, channel, ids, Action::Consent(channel, granted));
    }
}
