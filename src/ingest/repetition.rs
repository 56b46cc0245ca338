//! The same content twice: a load that is sent again after its answer was lost, or a file that was read before.

use super::load::{LoadRequest, LoadSummary};
use crate::auth::Caller;
use crate::store::events::LoadRecord;
use crate::workspace::Snapshot;

/// What to answer where the content is there already.
pub(super) fn repeats(state: &Snapshot, request: &LoadRequest, caller: &Caller) -> Option<LoadSummary> {
    if request.again {
        return None;
    }
    let shown = LoadSummary { position: state.position, version: state.events.version, ..LoadSummary::default() };
    if repetitions(state, request, caller) > 0 {
        return Some(LoadSummary { skipped: true, ..shown });
    }
    let earlier = load_of_file(state, request, caller)?;
    Some(refuse(earlier, caller, shown))
}

/// How often the content was loaded.
pub(super) fn repetitions(state: &Snapshot, request: &LoadRequest, caller: &Caller) -> u64 {
    state.loads().filter(|load| is_of(load, caller) && load.content_hash == request.content_hash).count() as u64
}

/// Whether a load brought content of the caller's source. The same content of another source is other events, and no
/// source may claim the content of another. A load of which nothing was kept brought nothing: what refused its rows may
/// have changed.
fn is_of(load: &LoadRecord, caller: &Caller) -> bool {
    load.token_source.as_deref() == caller.source.as_deref() && load.kept > 0
}

/// The newest load that kept rows of the same file, one of the caller's source before one of another.
///
/// Whose token it came by does not matter: that two sources send files of equal bytes is rarer than that one file is
/// sent by two tokens, and the first is mended by `--again`, while numbers that doubled in silence are not noticed. What
/// names no file is told apart by its source.
fn load_of_file<'s>(state: &'s Snapshot, request: &LoadRequest, caller: &Caller) -> Option<&'s LoadRecord> {
    let file = request.file_hash.as_ref()?;
    // Records of before files had a hash say the same of a file that was read in the same way.
    let is_file =
        |load: &LoadRecord| load.file_hash.as_ref() == Some(file) || load.content_hash == request.content_hash;
    let of_file = || state.loads().rev().filter(|load| load.kept > 0 && is_file(load));
    of_file().find(|load| is_of(load, caller)).or_else(|| of_file().next())
}

/// What is said of a file of which `earlier` has the rows, which are `shown`.
fn refuse(earlier: &LoadRecord, caller: &Caller, shown: LoadSummary) -> LoadSummary {
    let of_other_source = !is_of(earlier, caller);
    // Who may only send events of one source learns nothing of how others name their files.
    let is_secret = of_other_source && caller.check_can_query().is_err();
    let name = if is_secret { "a file of another source".to_owned() } else { earlier.source.clone() };
    LoadSummary { skipped: true, read_otherwise: Some(name), of_other_source, ..shown }
}

/// What message ids begin with that the source does not give: other for every content, token's source and repetition.
pub(super) fn message_prefix(caller: &Caller, request: &LoadRequest, repetition: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    // Each part says how long it is: no two loads can be the same text in other parts.
    let source = caller.source.as_deref();
    for part in [request.content_hash.as_bytes(), source.unwrap_or_default().as_bytes()] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    hasher.update(&[u8::from(source.is_some())]).update(&repetition.to_le_bytes());
    hasher.finalize().to_hex().as_str()[..24].to_owned()
}
