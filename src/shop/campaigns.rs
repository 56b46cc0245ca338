//! Campaigns: who is written to, who is held out, who opens, clicks and buys because of it.
//!
//! One of them wins back lapsed customers, with a lift over its holdout that is planted here.
//! Must not know rows or the truth.

use super::calendar::{self, LAST_DAY};
use super::plan::{Action, Arm, CampaignStep, Event, Identifier, Source};
use super::script::Script;

/// Days after the contact within which an order counts for a campaign.
pub const CONVERSION_DAYS: i32 = 30;

/// The campaign with the planted lift.
pub const WIN_BACK: &str = "winback-2024";

pub struct Campaign {
    pub id: &'static str,
    channel: &'static str,
    /// Day of the send.
    day: i32,
    /// Share that is held out, per mille.
    holdout: u32,
    /// Shares of the sent that open and of those that click, per mille.
    opens: u32,
    clicks: u32,
    /// Further orders among the sent and among the held out, per mille.
    treatment_orders: u32,
    holdout_orders: u32,
    /// Only persons without an order in so many days before.
    lapsed_days: Option<i32>,
}

pub const CAMPAIGNS: [Campaign; 5] = [
    campaign("spring-2023", "email", 99, [0, 280, 160, 20, 0], None),
    campaign("double11-2023", "sms", 309, [200, 900, 60, 50, 30], None),
    campaign("spring-2024", "email", 465, [100, 260, 150, 25, 15], None),
    campaign("618-2024", "push", 528, [200, 180, 300, 45, 25], None),
    campaign(WIN_BACK, "email", 618, [250, 310, 220, 110, 40], Some(90)),
];

/// `shares`: holdout, opens, clicks, treatment orders, holdout orders.
const fn campaign(
    id: &'static str,
    channel: &'static str,
    day: i32,
    shares: [u32; 5],
    lapsed_days: Option<i32>,
) -> Campaign {
    let [holdout, opens, clicks, treatment_orders, holdout_orders] = shares;
    Campaign { id, channel, day, holdout, opens, clicks, treatment_orders, holdout_orders, lapsed_days }
}

impl Script {
    /// Consents, and then every campaign that the person may get.
    pub fn campaigns(&mut self) {
        let consents = self.consents();
        for campaign in &CAMPAIGNS {
            let allowed = consents.iter().any(|(channel, from, until)| {
                *channel == campaign.channel && *from < campaign.day && campaign.day < *until
            });
            if allowed && self.is_lapsed_enough(campaign) {
                self.contact(campaign);
            }
        }
    }

    fn is_lapsed_enough(&self, campaign: &Campaign) -> bool {
        let Some(days) = campaign.lapsed_days else { return true };
        let last = self.orders.iter().filter(|day| **day <= campaign.day).max();
        last.is_some_and(|day| *day < campaign.day - days)
    }

    fn contact(&mut self, campaign: &Campaign) {
        // The contacts of a campaign go out between 02:00 and 03:00, so that any order of the next day comes later.
        let sent = calendar::instant(campaign.day, 7200 + self.dice.below(3600));
        let ids = self.person.identifiers_on(Source::Web, true);
        if self.dice.chance(campaign.holdout) {
            self.push_step(sent, campaign, ids, CampaignStep::HeldOut, Arm::Holdout);
            self.order_after(campaign, campaign.holdout_orders, "direct", None);
            return;
        }
        self.push_step(sent, campaign, ids.clone(), CampaignStep::Sent, Arm::Treatment);
        let buys = self.dice.chance(campaign.treatment_orders);
        let opens = buys || self.dice.chance(campaign.opens);
        let opened = sent + i64::from(600 + self.dice.below(40_000)) * 1_000_000;
        if opens {
            self.push_step(opened, campaign, ids.clone(), CampaignStep::Opened, Arm::Treatment);
        }
        if buys || (opens && self.dice.chance(campaign.clicks)) {
            let clicked = opened + i64::from(5 + self.dice.below(300)) * 1_000_000;
            self.push_step(clicked, campaign, ids, CampaignStep::Clicked, Arm::Treatment);
        }
        if buys {
            self.order_after(campaign, 1000, campaign.channel, Some(campaign.id));
        }
    }

    fn push_step(&mut self, ts: i64, campaign: &Campaign, identifiers: Vec<Identifier>, step: CampaignStep, arm: Arm) {
        let action = Action::Campaign(step, arm);
        let (channel, id) = (campaign.channel, Some(campaign.id));
        self.events.push(Event { ts, source: Source::Web, channel, identifiers, campaign: id, action });
    }

    /// With the share `per_mille`, an order within the days that count for the campaign.
    fn order_after(&mut self, campaign: &Campaign, per_mille: u32, channel: &'static str, id: Option<&'static str>) {
        let day = campaign.day + self.dice.between(1, CONVERSION_DAYS - 2);
        if !self.dice.chance(per_mille) || day > LAST_DAY {
            return;
        }
        let first_event = self.events.len();
        let ts = calendar::instant(day, calendar::busy_second(&mut self.dice));
        let ids = self.person.identifiers_on(Source::Web, true);
        self.order(ts, Source::Web, channel, ids, None);
        for event in &mut self.events[first_event..] {
            if matches!(event.action, Action::Ordered(_)) {
                event.campaign = id;
            }
        }
    }
}
