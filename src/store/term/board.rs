//! The folder of the terms of one workspace as it shows itself at one moment: who claimed, who lives, who has ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::error::Result;
use crate::store::paths::{TermObject, WorkspacePaths};

/// What the folder of the terms shows.
#[derive(Debug, Default)]
pub(super) struct Board {
    pub(super) reigns: BTreeMap<u64, Reign>,
    /// The store's time when it was asked for it.
    pub(super) clock: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
pub(super) struct Reign {
    /// Newest sign of life, by the store's clock.
    pub(super) seen: DateTime<Utc>,
    claimed: bool,
    ended: bool,
    pub(super) objects: Vec<Path>,
}

impl Board {
    pub(super) async fn read(store: &Arc<dyn ObjectStore>, paths: &WorkspacePaths) -> Result<Self> {
        let mut board = Self::default();
        let objects: Vec<_> = store.list(Some(&paths.writer())).try_collect().await?;
        for object in objects {
            if object.location == paths.writer_clock() {
                board.clock = Some(object.last_modified);
            }
            let Some((number, what)) = TermObject::of(&object.location) else { continue };
            let reign: &mut Reign = board.reigns.entry(number).or_default();
            reign.claimed |= what == TermObject::Claim;
            reign.ended |= what == TermObject::Ended;
            reign.seen = reign.seen.max(object.last_modified);
            reign.objects.push(object.location);
        }
        Ok(board)
    }

    /// Number of the newest term; 0 when there is none.
    pub(super) fn newest(&self) -> u64 {
        self.claims().next_back().map_or(0, |(number, _)| number)
    }

    /// The newest term, unless its writer has ended it.
    pub(super) fn holder(&self) -> Option<(u64, &Reign)> {
        self.claims().next_back().filter(|(_, reign)| !reign.ended)
    }

    /// A heartbeat of a term that is forgotten already is no claim.
    fn claims(&self) -> impl DoubleEndedIterator<Item = (u64, &Reign)> {
        self.reigns.iter().filter(|(_, reign)| reign.claimed).map(|(number, reign)| (*number, reign))
    }
}
