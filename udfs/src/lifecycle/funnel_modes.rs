//! The modes of `window_funnel`, as ClickHouse names them. Knows no Arrow.

use datafusion::common::{Result, exec_err};

const MODES: &str = "'strict_order', 'strict_deduplication', 'strict_increase', 'strict_once' and 'allow_reentry'";

/// What a funnel asks of a chain of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) steps: usize,
    /// Longest time from the first step to any other, in the unit of the times.
    pub(super) window: i64,
    /// A row that meets no condition, or one of a later step, ends the search.
    pub(super) order: bool,
    /// A step met again ends the search.
    pub(super) deduplication: bool,
    /// Each step is later than the one before.
    pub(super) increase: bool,
    /// A row serves one step only.
    pub(super) once: bool,
    /// With `order`: a later step that comes too early is skipped.
    pub(super) reentry: bool,
}

impl Rules {
    /// # Errors
    /// For a mode that does not exist, and for 'allow_reentry' without 'strict_order'.
    pub(super) fn new(function: &str, steps: usize, window: i64, modes: &str) -> Result<Self> {
        let mut rules =
            Self { steps, window, order: false, deduplication: false, increase: false, once: false, reentry: false };
        for mode in modes.split(',').map(str::trim).filter(|mode| !mode.is_empty()) {
            match mode {
                "strict_order" => rules.order = true,
                "strict_deduplication" => rules.deduplication = true,
                "strict_increase" => rules.increase = true,
                "strict_once" => rules.once = true,
                "allow_reentry" => rules.reentry = true,
                other => return exec_err!("{function}: argument 2 (modes) has '{other}'; there are {MODES}"),
            }
        }
        if rules.reentry && !rules.order {
            return exec_err!("{function}: argument 2 (modes) is '{modes}': 'allow_reentry' needs 'strict_order'");
        }
        Ok(rules)
    }
}
