//! `convoke demo`: a synthetic shop, loaded once, served, and asked five questions through its own endpoint.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use futures::StreamExt;
use tokio::sync::oneshot;

use super::arguments::{DataArguments, DemoArguments, Format};
use super::embedded::{self, Embedded};
use super::output;
use super::progress::Progress;
use super::questions::questions;
use super::remote::Remote;
use super::serve;
use crate::auth::{Caller, Role};
use crate::error::{Error, Result};
use crate::ids::WorkspaceName;
use crate::ingest::{LoadRequest, LoadSummary, Loader};
use crate::server;
use crate::settings::Settings;
use crate::shop::Shop;
use crate::workspace::{DataKind, Manifest, Workspace, WorkspaceSettings};

/// Days that the demo's own token lives.
const TOKEN_LIFE: Duration = Duration::from_secs(30 * 86_400);

pub(super) async fn run(arguments: DemoArguments) -> Result<()> {
    let data = DataArguments { data: arguments.data.clone(), workspace: WorkspaceName::default() };
    let embedded = Embedded::open(&data.data, settings(&arguments)?).await?;
    let currency = WorkspaceSettings { base_currency: Some("CNY".to_owned()), ..WorkspaceSettings::default() };
    let manifest = Manifest { settings: currency, demo: true, ..Manifest::new(Tz::UTC) };
    let workspace = embedded.workspaces.get_or_create(&data.workspace, &manifest).await?;
    let shop = Shop::new(arguments.persons);
    check_is_of(&shop, &workspace, &data.data)?;
    let loaded = load(&embedded.loader, embedded::local_caller(&data), &shop).await;
    embedded.explain_in_use(&data.workspace, loaded, serve::ONE_SERVER).await?;

    let listen = embedded.settings.server.listen.clone();
    let listener = serve::listen(&listen, false).await?;
    let address = format!("http://{}", listener.local_addr()?);
    embedded.workspaces.serve(&address).await;
    let tokens = embedded.tokens.clone();
    let token = tokens.create(data.workspace.clone(), Role::Admin, "demo", Some(TOKEN_LIFE)).await?;
    let grace = Duration::from_secs(embedded.settings.server.stop_seconds);
    let (stop, stopped) = oneshot::channel::<()>();
    let exit = arguments.exit;
    let shutdown = async move {
        let signal = serve::stop_signal();
        match signal {
            // With --exit the end of the queries stops the server, too.
            Ok(signal) if exit => {
                tokio::select! { _ = stopped => {}, () = signal => {} }
            }
            Ok(signal) => signal.await,
            Err(_) => drop(stopped.await),
        }
    };
    let (background, workspaces) = (serve::start_background(&embedded), embedded.workspaces.clone());
    let serving = tokio::spawn(server::serve(listener, serve::parts(embedded), grace, async { Ok(()) }, shutdown));
    let asked = ask(&address, &token, &shop).await;
    if exit {
        // Nobody can use it any more: the next run makes its own.
        tokens.remove(&token).await?;
        // The server may have stopped by a signal already.
        stop.send(()).ok();
    }
    asked?;
    match exit {
        true => output::say("The server of the demo has stopped; without --exit it goes on, and says how to connect.")?,
        false => explain_connecting(&address, &token, &arguments.data)?,
    }
    let served = serving.await.map_err(|error| Error::internal(format!("the server ended: {error}")))?;
    drop(background);
    workspaces.close().await;
    served
}

fn settings(arguments: &DemoArguments) -> Result<Settings> {
    let flags: Vec<(&str, String)> = arguments.listen.iter().map(|listen| ("server.listen", listen.clone())).collect();
    Settings::load(None, std::env::vars(), &flags)
}

/// Names the content of a shop: the same numbers give the same events.
fn content_hash(shop: &Shop) -> String {
    format!("shop/{}/{}", shop.persons, shop.seed)
}

/// Refuses a folder with a shop of another size: their customers would be mixed.
fn check_is_of(shop: &Shop, workspace: &Workspace, data: &str) -> Result<()> {
    workspace.manifest().check_takes(DataKind::Synthetic, workspace.name())?;
    let held = workspace.snapshot();
    match held.loads().find(|load| load.content_hash != content_hash(shop)) {
        Some(other) => Err(Error::invalid(format!(
            "'{data}' holds a {}: name another folder with --data, or remove this one",
            other.source
        ))),
        None => Ok(()),
    }
}

/// Loads the shop unless this folder has it.
async fn load(loader: &Loader, caller: Caller, shop: &Shop) -> Result<()> {
    let request = LoadRequest {
        source: format!("synthetic shop of {} persons, seed {}", shop.persons, shop.seed),
        content_hash: content_hash(shop),
        file_hash: None,
        again: false,
        checked: true,
    };
    output::say(&format!("Loading a {} (seeded, the same everywhere; no real people)", request.source))?;
    let counter = Arc::new(AtomicU64::new(0));
    let progress = Progress::follow("loading", shop.estimated_events(), Arc::clone(&counter), false);
    let batches = futures::stream::iter(shop.batches()).inspect(move |batch| {
        if let Ok(batch) = batch {
            counter.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        }
    });
    let summary = loader.load_synthetic(&caller, request, batches.boxed()).await?;
    drop(progress);
    output::say(&describe(&summary))
}

fn describe(summary: &LoadSummary) -> String {
    if summary.skipped {
        return "The data is there already.\n".to_owned();
    }
    let rate = summary.kept as f64 / summary.seconds.max(f64::MIN_POSITIVE);
    format!("{} events in {:.1} s ({rate:.0} a second), durable.\n", summary.kept, summary.seconds)
}

async fn ask(address: &str, token: &str, shop: &Shop) -> Result<()> {
    let mut remote = Remote::connect(address, Some(token), None).await?;
    for question in questions(shop) {
        output::say(&format!("{}\n\n{}\n", question.text, question.statement))?;
        let started = Instant::now();
        let rows = remote.query(&question.statement).await?;
        output::print(rows, Format::Table).await?;
        output::say(&format!("{:.1} ms through Flight SQL\n", started.elapsed().as_secs_f64() * 1_000.0))?;
    }
    Ok(())
}

fn explain_connecting(address: &str, token: &str, data: &str) -> Result<()> {
    let grpc = address.replace("http://", "grpc://");
    let jdbc = address.replace("http://", "jdbc:arrow-flight-sql://");
    output::say(&format!(
        "Connect from Python (pip install adbc-driver-flightsql pyarrow):\n\
         \n  from adbc_driver_flightsql import dbapi\
         \n  connection = dbapi.connect(\"{grpc}\", autocommit=True, db_kwargs={{\
         \n      \"adbc.flight.sql.authorization_header\": \"Bearer {token}\"}})\
         \n  cursor = connection.cursor()\
         \n  cursor.execute(\"SELECT * FROM persons LIMIT 5\")\
         \n  print(cursor.fetch_arrow_table())\n\
         \nConnect by JDBC (DBeaver, Tableau; driver org.apache.arrow:flight-sql-jdbc-driver):\n\
         \n  {jdbc}/?useEncryption=false&user=demo&password={token}\n\
         \nAsk it from another terminal:\n\
         \n  convoke sql --connect {address} --token {token}\n\
         \nThe server stays up: Ctrl-C stops it, and its data stay in {data}."
    ))
}
