//! `convoke import`: reference tables out of files: names of days, exchange rates.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use futures::TryStreamExt;

use super::arguments::{ImportArguments, ImportCommand};
use super::embedded::{self, Embedded};
use super::output::{self, counted};
use super::workspace::BETWEEN_STARTS;
use crate::error::{Error, Result};
use crate::ingest::reference::{read_dates, read_fx_rates};
use crate::query::SessionOptions;
use crate::settings::Settings;
use crate::workspace::RuleChange;

/// Bookings whose own day has no rate: a refund's day is another than that of its order.
const WITHOUT_RATE: &str = "SELECT count(*) AS bookings, count(DISTINCT currency) AS currencies FROM order_entries \
                            WHERE amount_base IS NULL";

pub(super) async fn run(command: ImportCommand) -> Result<()> {
    match command {
        ImportCommand::Dates(arguments) => dates(arguments).await,
        ImportCommand::FxRates(arguments) => fx_rates(arguments).await,
    }
}

async fn open(arguments: &ImportArguments) -> Result<Embedded> {
    Embedded::open_existing(&arguments.data.data, Settings::load(None, std::env::vars(), &[])?).await
}

/// A file is read on a thread that may block.
async fn in_background<T: Send + 'static>(read: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(read).await.map_err(|error| Error::internal(format!("reading a file: {error}")))?
}

async fn dates(arguments: ImportArguments) -> Result<()> {
    let name = &arguments.data.workspace;
    let embedded = open(&arguments).await?;
    let workspace = embedded.workspaces.get(name).await?;
    let file = arguments.file.clone();
    let imported = in_background(move || read_dates(&file)).await?;
    let count = imported.names.len();
    let mut writer = embedded.explain_in_use(name, workspace.writer().await, BETWEEN_STARTS).await?;
    let mut names = match arguments.replace {
        true => Default::default(),
        false => workspace.snapshot().rules.day_names.as_ref().clone(),
    };
    names.merge(imported);
    let all = names.names.len();
    writer.change_rules(RuleChange { day_names: Some(names), ..RuleChange::default() }).await?;
    let (days, have) = (counted(count, "day"), if all == 1 { "has" } else { "have" });
    let all = counted(all, "day");
    output::say(&format!("{}: names of {days} imported, {all} {have} names", arguments.file.display()))
}

async fn fx_rates(arguments: ImportArguments) -> Result<()> {
    let name = &arguments.data.workspace;
    let embedded = open(&arguments).await?;
    let workspace = embedded.workspaces.get(name).await?;
    let mut writer = embedded.explain_in_use(name, workspace.writer().await, BETWEEN_STARTS).await?;
    let rules = workspace.snapshot().rules.clone();
    let base = rules.orders(&embedded.settings.orders).base_currency;
    let (file, in_base) = (arguments.file.clone(), base.clone());
    let imported = in_background(move || read_fx_rates(&file, &in_base)).await?;
    let count: usize = imported.rates.values().map(|days| days.len()).sum();
    // Rates in another base currency are worth nothing beside these.
    let mut rates = match rules.rates_in(&base) {
        Some(held) if !arguments.replace => held.as_ref().clone(),
        _ => crate::workspace::reference::FxRates { base: base.clone(), ..Default::default() },
    };
    if !arguments.replace && !rules.fx_rates.rates.is_empty() && rules.rates_in(&base).is_none() {
        output::complain(&format!(
            "the rates of before were in {}, not {base}: they are replaced",
            rules.fx_rates.base
        ));
    }
    rates.merge(imported);
    let all: usize = rates.rates.values().map(|days| days.len()).sum();
    writer.change_rules(RuleChange { fx_rates: Some(rates), ..RuleChange::default() }).await?;
    let rates = counted(count, "rate");
    output::say(&format!("{}: {rates} in {base} imported, {all} in all", arguments.file.display()))?;
    let (bookings, currencies) = without_rate(&embedded, &arguments).await?;
    if bookings > 0 {
        output::complain(&describe_without_rate(bookings, currencies));
    }
    Ok(())
}

fn describe_without_rate(bookings: i64, currencies: i64) -> String {
    let (booking, have, their, orders) = match bookings {
        1 => ("booking", "has", "its", "its order"),
        _ => ("bookings", "have", "their", "their orders"),
    };
    let currency = if currencies == 1 { "currency" } else { "currencies" };
    format!(
        "{bookings} {booking} in {currencies} {currency} {have} no rate that holds on {their} day: {their} amount_base is \
         NULL, and so is net_base of {orders}: SELECT currency, day, count(*) FROM order_entries WHERE amount_base IS NULL \
         GROUP BY currency, day"
    )
}

/// How many bookings, in how many currencies, have no rate.
async fn without_rate(embedded: &Embedded, arguments: &ImportArguments) -> Result<(i64, i64)> {
    let (caller, session) = (embedded::local_caller(&arguments.data), SessionOptions::default());
    let prepared = embedded.engine.prepare(&caller, &session, WITHOUT_RATE, None).await?;
    let execution = embedded.engine.execute(&caller, &session, &prepared, Vec::new()).await?;
    let batches: Vec<_> = execution.stream.try_collect().await?;
    let row = batches.iter().find(|batch| batch.num_rows() > 0);
    let number = |column: usize| row.map_or(0, |batch| batch.column(column).as_primitive::<Int64Type>().value(0));
    Ok((number(0), number(1)))
}
