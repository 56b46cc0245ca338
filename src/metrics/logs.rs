//! What the logs of all open workspaces hold together: who reads metrics needs no token, so no workspace is named.
//!
//! Must not know what a workspace is: whoever does sets the values before each rendering.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::add;

/// The values of one workspace.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogValues {
    pub position: u64,
    pub flushed_position: u64,
    pub hot_rows: u64,
    pub hot_bytes: u64,
    pub segments: u64,
    pub bytes: u64,
    pub replay_seconds: f64,
}

/// Those of all.
pub struct LogMetrics {
    position: Gauge,
    flushed_position: Gauge,
    hot_rows: Gauge,
    hot_bytes: Gauge,
    segments: Gauge,
    bytes: Gauge,
    replay_seconds: Gauge<f64, AtomicU64>,
}

impl LogMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let mut gauge = |name, help| add(registry, name, help, Gauge::default());
        Self {
            position: gauge("log_position", "Records of the logs of all open workspaces so far"),
            flushed_position: gauge("log_flushed_position", "Records of these logs whose rows are in files"),
            hot_rows: gauge("hot_rows", "Rows that are in the logs alone"),
            hot_bytes: gauge("hot_bytes", "Memory that these rows take"),
            segments: gauge("log_segments", "Segments or objects of the logs"),
            bytes: gauge("log_bytes", "Bytes of the logs where they lie"),
            replay_seconds: add(
                registry,
                "replay_seconds",
                "Time that reading the stored state of a workspace took, the longest",
                Gauge::default(),
            ),
        }
    }

    /// Sets the values from those of all open workspaces.
    pub fn set(&self, workspaces: impl IntoIterator<Item = LogValues>) {
        let sum = |all: LogValues, one: LogValues| LogValues {
            position: all.position + one.position,
            flushed_position: all.flushed_position + one.flushed_position,
            hot_rows: all.hot_rows + one.hot_rows,
            hot_bytes: all.hot_bytes + one.hot_bytes,
            segments: all.segments + one.segments,
            bytes: all.bytes + one.bytes,
            replay_seconds: all.replay_seconds.max(one.replay_seconds),
        };
        let all = workspaces.into_iter().fold(LogValues::default(), sum);
        self.position.set(all.position as i64);
        self.flushed_position.set(all.flushed_position as i64);
        self.hot_rows.set(all.hot_rows as i64);
        self.hot_bytes.set(all.hot_bytes as i64);
        self.segments.set(all.segments as i64);
        self.bytes.set(all.bytes as i64);
        self.replay_seconds.set(all.replay_seconds);
    }
}
