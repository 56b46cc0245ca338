//! Until when a stream may go on: as long as its token is good and the server does not stop. What came before that is
//! answered.
//!
//! Must not know what a message says.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio::sync::watch;

use crate::auth::{Caller, Tokens};
use crate::error::{Error, Kind, Result};

/// A caller whose token may be revoked, or expire, while the call goes on.
pub(super) struct StandingCaller {
    pub(super) tokens: Tokens,
    pub(super) secret: Arc<str>,
    pub(super) caller: Caller,
}

impl StandingCaller {
    /// # Errors
    /// `Unauthenticated` when the token is not good any more, or is for something else.
    pub(super) async fn check(&self) -> Result<()> {
        match self.tokens.authenticate(&self.secret).await {
            Ok(caller) if caller == self.caller => Ok(()),
            Ok(_) => Err(Error::unauthenticated("the token stands for another caller now: open the stream again")),
            // That tokens cannot be read just now says nothing of this one.
            Err(error) if error.kind() != Kind::Unauthenticated => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The messages until the server stops; an error behind the last one says so.
pub(super) fn until_stop<T>(
    messages: impl Stream<Item = Result<T>>,
    mut stopping: watch::Receiver<bool>,
) -> impl Stream<Item = Result<T>> {
    let told = stopping.clone();
    let stopped = async move {
        if stopping.wait_for(|stops| *stops).await.is_err() {
            // Nobody is left to say so.
            std::future::pending::<()>().await;
        }
    };
    let last = futures::stream::once(async move {
        let stops = *told.borrow();
        stops.then(|| Err(Error::busy("the server stops: send what has no answer again in a moment")))
    });
    messages.take_until(stopped).chain(last.filter_map(std::future::ready))
}

#[cfg(test)]
mod tests;
