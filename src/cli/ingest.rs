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
use crate::ingest::read::{FileHashes, FileReader, FoundFiles, Mapping, Notes, ReadOptions, expand};
use crate::ingest::{LoadRequest, LoadSummary, Loader};
use crate::settings::Settings;
use crate::workspace::Workspaces;

/// Batches between the reading thread and the loader.
const BATCHES_IN_FLIGHT: usize = 4;

/// Where the events go.
enum Target {
    Folder(Box<Folder>),
    Server(Remote),
}

struct Folder {
    loader: Loader,
    workspaces: Workspaces,
    caller: Caller,
}

pub(super) async fn run(arguments: IngestArguments) -> Result<()> {
    let found = expand(&arguments.files)?;
    let (mut target, zone) = open_target(&arguments).await?;
    let options = read_options(&arguments, zone)?;
    options.check()?;
    if let Some(note) = found.note() {
        output::complain(&note);
    }
    if let Some(given) = arguments.time_zone.filter(|given| *given != zone) {
        output::complain(&explain_zones(given, zone));
    }
    let outcome = load_files(&mut target, &found, &options, arguments.again).await;
    if let Target::Folder(folder) = &target {
        folder.workspaces.close().await;
    }
    outcome
}

async fn load_files(target: &mut Target, found: &FoundFiles, options: &ReadOptions, again: bool) -> Result<()> {
    let files = &found.files;
    let are_several = files.len() + found.missing.len() > 1;
    let mut outcome = Outcome::default();
    for missing in &found.missing {
        output::complain(&missing.reason.to_string());
        outcome.failed.push(&missing.pattern);
    }
    for file in files {
        match load_file(target, file, options, again).await {
            Ok((summary, notes)) => outcome.add(file, &summary, &notes)?,
            // The others have no part in its fault.
            Err(Failure { error, is_of_file: true }) if are_several => {
                output::complain(&error.to_string());
                outcome.failed.push(file);
            }
            Err(failure) => return Err(failure.error),
        }
    }
    outcome.finish(found)
}

/// How the files of a command fared.
#[derive(Default)]
struct Outcome<'f> {
    total: LoadSummary,
    /// No row was kept, and none was there before.
    lost: Vec<&'f Path>,
    /// Loaded before with other options.
    refused: Vec<&'f Path>,
    /// Loaded before by the token of another source.
    of_other_source: Vec<&'f Path>,
    /// Could not be read, or are not there.
    failed: Vec<&'f Path>,
    /// How many were loaded before, with the same options.
    skipped: usize,
    /// How many have no row.
    empty: usize,
}

impl<'f> Outcome<'f> {
    fn add(&mut self, file: &'f Path, summary: &LoadSummary, notes: &Notes) -> Result<()> {
        output::say(&describe(&file.display().to_string(), summary))?;
        summary.notes.iter().try_for_each(|note| output::say(&format!("  note: {note}")))?;
        report(file, summary, notes);
        // A file that comes again has done its work, if only by another name or with other options.
        if summary.read > 0 && summary.kept == 0 && summary.duplicate == 0 {
            self.lost.push(file);
        }
        // What is refused is skipped, too, and is not what was loaded.
        self.skipped += usize::from(summary.skipped && summary.read_otherwise.is_none());
        self.empty += usize::from(!summary.skipped && summary.read == 0);
        match (&summary.read_otherwise, summary.of_other_source) {
            (None, _) => {}
            (Some(_), false) => self.refused.push(file),
            (Some(_), true) => self.of_other_source.push(file),
        }
        self.total.read += summary.read;
        self.total.kept += summary.kept;
        self.total.duplicate += summary.duplicate;
        self.total.rejected += summary.rejected;
        self.total.seconds += summary.seconds;
        Ok(())
    }

    /// Sums up, and fails when some file is not loaded that should be.
    fn finish(&self, found: &FoundFiles) -> Result<()> {
        let files = found.files.len();
        if files > 1 {
            // Those that are not there are no files.
            let failed = self.failed.len().saturating_sub(found.missing.len());
            output::say(&self.describe_total(files, failed))?;
        }
        if self.total.rejected > 0 {
            output::complain("rejected rows are kept with their reason: SELECT * FROM system.dead_letters");
            if self.total.kept > 0 {
                output::complain(
                    "load the corrected rows alone, in a file of their own: those that were kept would count twice",
                );
            }
        }
        let faults: Vec<String> = [
            (&self.failed, FAILED),
            (&self.refused, REFUSED),
            (&self.of_other_source, OF_OTHER_SOURCE),
            (&self.lost, "no row was kept"),
        ]
        .into_iter()
        .filter_map(|(files, what)| describe_files(files, what))
        .collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::invalid(faults.join("; "))) }
    }

    /// What became of several files, of which so many could not be read.
    fn describe_total(&self, files: usize, failed: usize) -> String {
        let not_loaded = failed + self.refused.len() + self.of_other_source.len();
        if self.total.read > 0 {
            let not_loaded = if not_loaded > 0 { format!(", {not_loaded} not loaded") } else { String::new() };
            return describe(&format!("{files} files{not_loaded}"), &self.total);
        }
        let kinds =
            [(self.skipped, "loaded before"), (self.empty, "without rows"), (not_loaded, "refused or unreadable")];
        let what = match kinds.iter().find(|(count, _)| *count == files) {
            Some((_, all)) => format!("all of them {all}"),
            None => {
                let some = kinds.iter().filter(|(count, _)| *count > 0);
                some.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
            }
        };
        format!("{files} files: nothing was loaded: {what}")
    }
}

/// Why a file is not loaded whose bytes are there, and what to do.
const REFUSED: &str = "the same file was loaded before with other options, such as another --map, --event or --time-zone: \
                       nothing was loaded. --again would load its rows beside those that are there, and each would count \
                       twice; where the rows that are there are right and others were rejected, load the rejected ones \
                       alone with these options, in a file of their own (SELECT raw FROM system.dead_letters); to have \
                       the whole file read with these options instead, load each file once into another --data folder, \
                       or again after `convoke workspace drop`";

const OF_OTHER_SOURCE: &str = "the same file was loaded before for another source, and its rows would be there twice: \
                               nothing was loaded; where two sources truly send files of equal content, --again loads \
                               it for this source, too";

const FAILED: &str = "not loaded, for the reason that is said above; the other files are done";

/// The files of which `what` is true, named; `None` when there are none.
fn describe_files(files: &[&Path], what: &str) -> Option<String> {
    /// Of a large folder not every file is named.
    const SHOWN: usize = 10;
    if files.is_empty() {
        return None;
    }
    let shown: Vec<String> = files.iter().take(SHOWN).map(|file| file.display().to_string()).collect();
    let more = files.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more files") } else { String::new() };
    Some(format!("{}{more}: {what}", shown.join(", ")))
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
    let chosen = arguments.time_zone.unwrap_or(chrono_tz::Tz::UTC);
    embedded.workspaces.settle_zone(&arguments.data.workspace, chosen).await?;
    embedded.create_workspace(&arguments.data, arguments.time_zone).await?;
    let workspace = embedded.workspaces.get(&arguments.data.workspace).await?;
    let zone = workspace.manifest().time_zone;
    let types = Arc::clone(workspace.snapshot().rules.types());
    for kind in Mapping::parse_all(&arguments.map)?.identifier_types() {
        types.id(kind).map_err(|error| error.context(format!("--map id.{kind}")))?;
    }
    let (loader, workspaces) = (embedded.loader, embedded.workspaces);
    let folder = Folder { loader, workspaces, caller: embedded::local_caller(&arguments.data) };
    Ok((Target::Folder(Box::new(folder)), zone))
}

/// What each of two zones is for: times are read in one, days are counted in the other.
fn explain_zones(given: chrono_tz::Tz, of_workspace: chrono_tz::Tz) -> String {
    format!(
        "note: --time-zone {given} is how times without a zone are read; days are counted in the workspace's zone, \
         {of_workspace}: a day of orders, dates and months begins at 00:00 there. It cannot be changed any more: for days \
         of {given} make a workspace by `convoke workspace create NAME --time-zone {given}`, or name a new folder with \
         --data, and load all files there"
    )
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

/// Why a file is not loaded.
struct Failure {
    /// Names the file.
    error: Error,
    /// It lies in the file: another one may be loaded.
    is_of_file: bool,
}

async fn load_file(
    target: &mut Target,
    file: &Path,
    options: &ReadOptions,
    again: bool,
) -> Result<(LoadSummary, Notes), Failure> {
    let reader = open_reader(file.to_owned(), options.clone()).await;
    let reader = reader.map_err(|error| Failure { error, is_of_file: true })?;
    let request = LoadRequest {
        source: file.display().to_string(),
        content_hash: reader.hashes.content,
        file_hash: Some(reader.hashes.file),
        again,
        checked: matches!(target, Target::Folder(_)),
    };
    let label = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let progress = Progress::follow(&label, reader.reader.size_bytes(), reader.reader.progress(), true);
    let notes = reader.reader.notes();
    let is_of_reader = Arc::new(AtomicBool::new(false));
    let batches = read_in_background(reader.reader, Arc::clone(&is_of_reader));
    let summary = match target {
        Target::Folder(folder) => folder.loader.load(&folder.caller, request, batches).await,
        Target::Server(remote) => remote.load(&request, batches).await,
    };
    drop(progress);
    match summary {
        Ok(summary) => Ok((summary, notes)),
        // What the reader says names the file already.
        Err(error) if is_of_reader.load(Ordering::Relaxed) => Err(Failure { error, is_of_file: true }),
        Err(error) => Err(Failure { error: error.context(file.display()), is_of_file: false }),
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
        if summary.of_other_source {
            return format!("{source}: refused, the same file was loaded before for another source, as {before}");
        }
        return format!("{source}: refused, the same file was loaded before with other options, as {before}");
    }
    if summary.skipped {
        return format!(
            "{source}: skipped, the same content was loaded before (--again loads it once more: rows without a message id count twice then)"
        );
    }
    if summary.read == 0 {
        // An empty export is no fault, and is not remembered: the same file may come again.
        return format!("{source}: NO ROWS: nothing was loaded");
    }
    let rate = if summary.seconds > 0.0 { summary.read as f64 / summary.seconds } else { 0.0 };
    let duplicates = match summary.duplicate {
        0 => String::new(),
        some => format!("{some} duplicate, "),
    };
    let all_stored = if summary.duplicate == summary.read { ": all rows were stored before" } else { "" };
    format!(
        "{source}: {} rows read, {} kept, {duplicates}{} rejected, {:.2} s, {rate:.0} rows/s{all_stored}",
        summary.read, summary.kept, summary.rejected, summary.seconds
    )
}
