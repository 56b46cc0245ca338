//! From planned events to rows: columns, identifiers, and properties and context as JSON text.
//!
//! JSON is written by hand, since no text of the shop's tables needs escaping (a test parses all of it).
//! Must not know how events are drawn or counted.

use std::fmt::Write;

use super::catalog::{CURRENCY, Fen, Product};
use super::plan::{Action, Arm, CampaignStep, Event, IdentifierKind, Order, Source, Traits};
use crate::ingest::input::{InputBuilder, InputRow, QUANTITY_ONE};

/// Ten-thousandths of a yuan in a fen.
const PER_FEN: i128 = 100;

/// Renders events one by one; the texts are kept between events to spare allocations.
#[derive(Default)]
pub struct Renderer {
    message_id: String,
    properties: String,
    context: String,
    /// Events so far: the number in the message id, from 1.
    number: u64,
}

impl Renderer {
    pub fn push(&mut self, event: &Event, builder: &mut InputBuilder) {
        self.number += 1;
        self.message_id.clear();
        write_text(&mut self.message_id, format_args!("shop-{}", self.number));
        self.write_properties(&event.action);
        self.write_context(event);
        let mut row = InputRow {
            row: i64::try_from(self.number).ok(),
            message_id: Some(&self.message_id),
            ts: Some(event.ts),
            kind: Some(event.action.kind(event.source)),
            event: event.action.event_name(),
            channel: Some(event.channel),
            source: Some(event.source.name()),
            campaign_id: event.campaign,
            properties: (!self.properties.is_empty()).then_some(&*self.properties),
            context: (!self.context.is_empty()).then_some(&*self.context),
            ..InputRow::default()
        };
        let mut others = Vec::with_capacity(event.identifiers.len());
        for identifier in &event.identifiers {
            match identifier.kind {
                IdentifierKind::AnonymousId => row.anonymous_id = Some(&identifier.value),
                IdentifierKind::UserId => row.user_id = Some(&identifier.value),
                kind => others.push((kind.name(), identifier.value.as_str())),
            }
        }
        row.identifiers = &others;
        fill_columns(&mut row, &event.action);
        builder.push(&row);
    }

    fn write_properties(&mut self, action: &Action) {
        let out = &mut self.properties;
        out.clear();
        match action {
            Action::Identify(traits) => write_traits(out, traits),
            Action::Page(name) => write_text(out, format_args!("{{\"name\":\"{name}\"}}")),
            Action::Searched(query) => write_text(out, format_args!("{{\"query\":\"{query}\"}}")),
            Action::Viewed(product, _) | Action::Added(product, ..) => {
                write_text(out, format_args!("{{\"price\":{}}}", Yuan(product.price)));
            }
            Action::Ordered(order) => write_order(out, order),
            Action::Refunded(_) => out.push_str("{\"reason\":\"return\"}"),
            Action::Reviewed(_, _, rating) => write_text(out, format_args!("{{\"rating\":{rating}}}")),
            Action::Campaign(_, Arm::Treatment) => out.push_str("{\"arm\":\"treatment\"}"),
            Action::Campaign(_, Arm::Holdout) => out.push_str("{\"arm\":\"holdout\"}"),
            Action::Consent(channel, granted) => {
                let state = if *granted { "granted" } else { "denied" };
                let text =
                    format_args!("{{\"purpose\":\"marketing\",\"channel\":\"{channel}\",\"state\":\"{state}\"}}");
                write_text(out, text);
            }
        }
    }

    /// Only what a tracker sees by itself: the address of a page, the device of an app.
    fn write_context(&mut self, event: &Event) {
        let out = &mut self.context;
        out.clear();
        match (&event.action, event.source) {
            (Action::Campaign(CampaignStep::Sent | CampaignStep::HeldOut, _), _) => {}
            (Action::Page(name), Source::Web) => {
                let path = if *name == "Home" { "/" } else { "/checkout" };
                write_text(out, format_args!("{{\"page\":{{\"path\":\"{path}\"}}}}"));
            }
            (Action::Page(_), Source::App) => out.push_str("{\"app\":{\"name\":\"Shop\",\"version\":\"3.2\"}}"),
            _ => {}
        }
    }
}

fn fill_columns<'a>(row: &mut InputRow<'a>, action: &'a Action) {
    match action {
        Action::Viewed(product, brand) | Action::Reviewed(product, brand, _) => fill_product(row, product, brand),
        Action::Added(product, brand, quantity) => {
            fill_product(row, product, brand);
            row.quantity = Some(i128::from(*quantity) * QUANTITY_ONE);
        }
        Action::Ordered(order) => {
            row.brand = Some(order.brand);
            row.store_id = order.store;
            row.order_id = Some(&order.id);
            row.revenue = Some(i128::from(order.revenue()) * PER_FEN);
            row.cost = Some(i128::from(order.cost()) * PER_FEN);
            row.currency = Some(CURRENCY);
        }
        Action::Refunded(refund) => {
            row.brand = Some(refund.brand);
            row.store_id = refund.store;
            row.order_id = Some(&refund.order_id);
            row.revenue = Some(i128::from(refund.amount) * PER_FEN);
            row.currency = Some(CURRENCY);
        }
        _ => {}
    }
}

fn fill_product<'a>(row: &mut InputRow<'a>, product: &'a Product, brand: &'a str) {
    row.brand = Some(brand);
    row.product_id = Some(&product.id);
    row.category = Some(&product.category);
}

fn write_traits(out: &mut String, traits: &Traits) {
    let Traits { name, sex, birthday: (year, month, day), region, city, household_size, .. } = traits;
    let (channel, cost) = (traits.acquisition_channel, Yuan(traits.acquisition_cost));
    write_text(
        out,
        format_args!(
            "{{\"name\":\"{name}\",\"sex\":\"{sex}\",\"birthday\":\"{year}-{month:02}-{day:02}\",\
             \"region\":\"{region}\",\"city\":\"{city}\",\"household_size\":{household_size},\
             \"acquisition_channel\":\"{channel}\",\"acquisition_cost\":{cost}}}"
        ),
    );
}

fn write_order(out: &mut String, order: &Order) {
    out.push_str("{\"products\":[");
    for (number, line) in order.lines.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let [first, second, third] = line.product.category;
        let (id, quantity) = (&line.product.id, line.quantity);
        let (price, cost) = (Yuan(line.price), Yuan(line.product.cost));
        write_text(
            out,
            format_args!(
                "{comma}{{\"product_id\":\"{id}\",\"category\":[\"{first}\",\"{second}\",\"{third}\"],\
                 \"price\":{price},\"quantity\":{quantity},\"cost\":{cost}}}"
            ),
        );
    }
    out.push(']');
    if let Some(coupon) = order.coupon {
        write_text(out, format_args!(",\"coupon\":\"{coupon}\""));
    }
    out.push('}');
}

/// Writing to a `String` cannot fail.
fn write_text(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

/// An amount as a decimal number of yuan with two places.
pub struct Yuan(pub Fen);

impl std::fmt::Display for Yuan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", self.0.abs() / 100, self.0.abs() % 100)
    }
}
