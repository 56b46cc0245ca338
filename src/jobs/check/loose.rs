//! Objects that can be judged by themselves: JSON documents and small Parquet objects.

use std::sync::Arc;

use object_store::{ObjectMeta, ObjectStore};

use super::{RESTORE, Report};
use crate::error::Result;
use crate::store::delta::content_hash;
use crate::store::objects;
use crate::store::paths;

/// Checks that the object can be read as what its name says. `prefix` is the folder of `store` below the root.
pub(super) async fn check(
    store: &Arc<dyn ObjectStore>,
    object: &ObjectMeta,
    prefix: &str,
    report: &mut Report<'_>,
) -> Result<()> {
    report.looked_at(object.size);
    let path = format!("{prefix}{}", object.location);
    let Some(bytes) = objects::read(store, &object.location).await? else { return Ok(()) };
    match object.location.extension() {
        Some("json") => {
            if let Err(error) = serde_json::from_slice::<serde_json::Value>(&bytes) {
                let token = path.starts_with(paths::TOKENS);
                let help = if token { "remove it and make another by `convoke token create`" } else { RESTORE };
                report.fault(&path, format!("is not JSON ({error})"), help);
            }
        }
        Some("parquet") => {
            if paths::hash_in_name(&path).is_some_and(|hash| hash != content_hash(&bytes)) {
                report.fault(&path, "has another content than was written (its hash differs)", RESTORE);
            }
            let read = tokio::task::spawn_blocking(move || objects::decode_parquet(bytes).map(drop)).await;
            match read {
                Ok(Ok(())) => {}
                Ok(Err(error)) => report.fault(&path, format!("cannot be read as Parquet ({error})"), RESTORE),
                Err(_) => report.fault(&path, "makes the Parquet reader break off", RESTORE),
            }
        }
        _ => {}
    }
    Ok(())
}
