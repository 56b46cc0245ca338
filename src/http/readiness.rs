//! Whether requests should be sent to this server, and if not, why.
//!
//! Must not know what a server does when it starts: whoever does says it in words.

use std::sync::Arc;

use parking_lot::Mutex;

/// Cheap to clone: all clones are one.
#[derive(Clone)]
pub struct Readiness {
    phase: Arc<Mutex<Phase>>,
    /// What is still to be done before the server is ready.
    start_report: Arc<dyn Fn() -> String + Send + Sync>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Ready,
    Stopping,
}

impl Readiness {
    pub fn new(start_report: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { phase: Arc::new(Mutex::new(Phase::Starting)), start_report: Arc::new(start_report) }
    }

    /// What was to be done at the start is done. One that stops stays so.
    pub fn begin(&self) {
        let mut phase = self.phase.lock();
        if *phase == Phase::Starting {
            *phase = Phase::Ready;
        }
    }

    pub fn end(&self) {
        *self.phase.lock() = Phase::Stopping;
    }

    /// Why no requests should be sent here; `None` when they should.
    pub fn obstacle(&self) -> Option<String> {
        let phase = *self.phase.lock();
        match phase {
            Phase::Starting => Some(format!("the server starts: {}", (self.start_report)())),
            Phase::Ready => None,
            Phase::Stopping => Some("the server stops".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
