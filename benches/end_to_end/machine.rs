//! Says when and where was measured: figures without that are worth nothing.

/// The day, the processor and its cores.
pub fn describe() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?;
    let day = chrono::Utc::now().format("%Y-%m-%d");
    Ok(format!("{day}, {}, {cores} cores.", processor()))
}

/// Linux tells; elsewhere the architecture has to do.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}
