//! `fx_rates`: units of the base currency for one unit of a currency on a day, as imported.

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::rows;
use crate::error::Result;
use crate::workspace::Rules;
use crate::workspace::reference::fx_rates_schema;

pub(in crate::query) fn table(rules: &Rules) -> Result<Arc<dyn TableProvider>> {
    let rates = Arc::clone(&rules.fx_rates);
    rows::table(fx_rates_schema(), move |_| Box::new(std::iter::once(rates.to_batch())))
}
