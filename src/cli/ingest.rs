//! `convoke ingest`: files into a data folder, or through a running server.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::arguments::IngestArguments;
use super::embedded::{self, Embedded};
use super::output;
use super::progress::Progress;
use super::remote::Remote;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::ingest::read::{FileHashes, FileReader, Mapping, Notes, ReadOptions, expand};
use crate::ingest::{LoadRequest, LoadSummary, Loader};
use crate::settings::Settings;

/// Batches between the reading thread and the loader.
const BATCHES_IN_FLIGHT: usize = 4;

/// Where the events go.
enum Target {
    Folder { loader: Loader, caller: Caller },
    Server(Remote),
}

pub(super) async fn run(arguments: IngestArguments) -> Result<()> {
    let files = expand(&arguments.files)?;
    let (mut target, zone) = open_target(&arguments).await?;
    let options = read_options(&arguments, zone)?;
    let mut total = LoadSummary::default();
    let (mut lost, mut refused) = (Vec::new(), Vec::new());
    for file in &files {
        let (summary, notes) = load_file(&mut target, file, &options, arguments.again).await?;
        output::say(&describe(&file.display().to_string(), &summary))?;
        summary.notes.iter().try_for_each(|note| output::say(&format!("  note: {note}")))?;
        report(file, &summary, &notes);
        if summary.read > 0 && summary.kept == 0 {
            lost.push(file);
        }
        if summary.read_otherwise.is_some() {
            refused.push(file);
        }
        total.read += summary.read;
        total.kept += summary.kept;
        total.rejected += summary.rejected;
        total.seconds += summary.seconds;
    }
    if files.len() > 1 {
        output::say(&describe(&format!("{} files", files.len()), &total))?;
    }
    if total.rejected > 0 {
        output::complain("rejected rows are kept with their reason: SELECT * FROM system.dead_letters");
    }
    check_none(&refused, REFUSED)?;
    check_none(&lost, "no row was kept")
}

/// Why a file is not loaded whose bytes are there, and what to do.
const REFUSED: &str = "the same file was loaded before with other options, such as another --map, --event or --time-zone, \
                       and its rows would be there twice: nothing was loaded; --again loads them beside those that are \
                       there";

/// Refuses when there are files of which `what` is true.
fn check_none(files: &[&PathBuf], what: &str) -> Result<()> {
    match files {
        [] => Ok(()),
        [file] => Err(Error::invalid(format!("{}: {what}", file.display()))),
        [file, others @ ..] => {
            Err(Error::invalid(format!("{} and {} more files: {what}", file.display(), others.len())))
        }
    }
}

/// What people should know of one load: what was noticed of its file, and why rows were rejected.
fn report(file: &Path, summary: &LoadSummary, notes: &Notes) {
    if summary.skipped {
        return;
    }
    for note in notes.to_vec() {
        output::complain(&format!("{}: {note}", file.display()));
    }
    for reason in &summary.reasons {
        output::complain(&format!("  {reason}"));
    }
    if summary.rejected > summary.reasons.len() as u64 && !summary.reasons.is_empty() {
        output::complain(&format!("  ... {} rows rejected in all", summary.rejected));
    }
}

/// The target, and the zone of its workspace for times that name none.
async fn open_target(arguments: &IngestArguments) -> Result<(Target, chrono_tz::Tz)> {
    if let Some(remote) = Remote::of(&arguments.connect).await? {
        let zone = remote.load_conditions().await?.time_zone;
        let zone =
            zone.parse().map_err(|_| Error::internal(format!("the server names a zone '{zone}' that is none")))?;
        return Ok((Target::Server(remote), zone));
    }
    let settings = Settings::load(None, std::env::vars(), &[])?;
    let embedded = Embedded::open(&arguments.data.data, settings).await?;
    embedded.create_workspace(&arguments.data, arguments.time_zone).await?;
    let workspace = embedded.workspaces.get(&arguments.data.workspace).await?;
    let zone = workspace.manifest().time_zone;
    let types = Arc::clone(&workspace.snapshot().rules.types);
    for kind in Mapping::parse_all(&arguments.map)?.identifier_types() {
        types.id(kind).map_err(|error| error.context(format!("--map id.{kind}")))?;
    }
    Ok((Target::Folder { loader: embedded.loader, caller: embedded::local_caller(&arguments.data) }, zone))
}

fn read_options(arguments: &IngestArguments, zone: chrono_tz::Tz) -> Result<ReadOptions> {
    Ok(ReadOptions {
        mapping: Mapping::parse_all(&arguments.map)?,
        event: arguments.event.clone(),
        source: arguments.source.clone(),
        time_zone: arguments.time_zone.unwrap_or(zone),
        kind: arguments.kind,
        delimiter: arguments.delimiter,
        ts_format: arguments.ts_format.clone(),
    })
}

/// Every error names the file.
async fn load_file(
    target: &mut Target,
    file: &Path,
    options: &ReadOptions,
    again: bool,
) -> Result<(LoadSummary, Notes)> {
    let reader = open_reader(file.to_owned(), options.clone()).await?;
    let request = LoadRequest {
        source: file.display().to_string(),
        content_hash: reader.hashes.content,
        file_hash: Some(reader.hashes.file),
        again,
        checked: matches!(target, Target::Folder { .. }),
    };
    let label = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let progress = Progress::follow(&label, reader.reader.size_bytes(), reader.reader.progress(), true);
    let notes = reader.reader.notes();
    let is_of_reader = Arc::new(AtomicBool::new(false));
    let batches = read_in_background(reader.reader, Arc::clone(&is_of_reader));
    let summary = match target {
        Target::Folder { loader, caller } => loader.load(caller, request, batches).await,
        Target::Server(remote) => remote.load(&request, batches).await,
    };
    drop(progress);
    match summary {
        Ok(summary) => Ok((summary, notes)),
        // What the reader says names the file already.
        Err(error) if is_of_reader.load(Ordering::Relaxed) => Err(error),
        Err(error) => Err(error.context(file.display())),
    }
}

struct HashedReader {
    reader: FileReader,
    hashes: FileHashes,
}

async fn open_reader(file: PathBuf, options: ReadOptions) -> Result<HashedReader> {
    let open = move || -> Result<HashedReader> {
        let reader = FileReader::open(&file, options)?;
        let hashes = reader.hashes()?;
        Ok(HashedReader { reader, hashes })
    };
    tokio::task::spawn_blocking(open).await.map_err(|error| Error::internal(format!("reading a file: {error}")))?
}

/// The reader's batches as a stream; the reader runs on a thread of its own and waits when nobody takes them. `failed`
/// becomes true when it ends with an error.
fn read_in_background(reader: FileReader, failed: Arc<AtomicBool>) -> BoxStream<'static, Result<RecordBatch>> {
    let (sender, receiver) = mpsc::channel(BATCHES_IN_FLIGHT);
    tokio::task::spawn_blocking(move || {
        for batch in reader.batches() {
            failed.store(batch.is_err(), Ordering::Relaxed);
            // A closed channel means that the load failed: reading on is useless.
            if sender.blocking_send(batch).is_err() {
                break;
            }
        }
    });
    ReceiverStream::new(receiver).boxed()
}

fn describe(source: &str, summary: &LoadSummary) -> String {
    if let Some(before) = &summary.read_otherwise {
        return format!("{source}: refused, the same file was loaded before with other options, as {before}");
    }
    if summary.skipped {
        return format!("{source}: skipped, the same content was loaded before (--again loads it once more)");
    }
    if summary.read == 0 {
        // An empty export is no fault, and is not remembered: the same file may come again.
        return format!("{source}: NO ROWS: nothing was loaded");
    }
    let rate = if summary.seconds > 0.0 { summary.read as f64 / summary.seconds } else { 0.0 };
    format!(
        "{source}: {} rows read, {} kept, {} rejected, {:.2} s, {rate:.0} rows/s",
        summary.read, summary.kept, summary.rejected, summary.seconds
    )
}
