//! The most memory that a process held at once, as Linux counts it (VmHWM).

/// Megabytes; NaN where the system does not tell.
pub fn peak(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    kilobytes.and_then(|number| number.parse::<f64>().ok()).map_or(f64::NAN, |kilobytes| kilobytes * 1024.0 / 1e6)
}

/// Counts anew from what is held now. Where that is refused, the peak since the start of the process is shown.
pub fn forget_peak(process: u32) {
    std::fs::write(format!("/proc/{process}/clear_refs"), "5").ok();
}
