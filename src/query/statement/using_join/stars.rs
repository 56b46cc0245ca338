//! `*` over joins that share keys: the columns of each relation in its order, and each key once, where its leftmost
//! relation has it.

use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Ident, ObjectName, ReplaceSelectElement, ReplaceSelectItem, SelectItem,
    SelectItemQualifiedWildcardKind, WildcardAdditionalOptions,
};

use super::super::normalize;
use super::keys::{Keys, Side};
use super::refusal;
use crate::error::Result;

/// What `*` leaves out and replaces, by the relation that shows it.
#[derive(Default)]
struct Options {
    left_out: Vec<(ObjectName, String)>,
    replaced: Vec<(ObjectName, ReplaceSelectElement)>,
}

impl Keys {
    /// `*`, with each key once. Where the joins are written with ON, the keys' values stand there, too.
    ///
    /// # Errors
    /// `InvalidInput` for EXCLUDE and REPLACE of a column of which the text does not tell the table.
    pub(super) fn all_columns(&self, options: &WildcardAdditionalOptions, writes_on: bool) -> Result<Vec<SelectItem>> {
        if options.opt_rename.is_some() || options.opt_alias.is_some() {
            // Which is refused as it stands.
            return Ok(vec![SelectItem::Wildcard(options.clone())]);
        }
        let mut own = Options::default();
        for name in names_left_out(options)? {
            for holder in self.holders(&name)? {
                own.left_out.push((holder.clone(), name.clone()));
            }
        }
        for element in options.opt_replace.iter().flat_map(|replace| &replace.items) {
            let name = normalize(&element.column_name);
            for holder in self.holders(&name)? {
                let mut element = ReplaceSelectElement { column_name: quoted(&name), ..(**element).clone() };
                if writes_on {
                    self.replace_in(&mut element.expr);
                }
                own.replaced.push((holder.clone(), element));
            }
        }
        if writes_on {
            let values = self.keys.iter().filter_map(|key| {
                let (holder, expr) = (key.shown_in.clone()?, key.value.clone()?);
                Some((holder, ReplaceSelectElement { expr, column_name: quoted(&key.name), as_keyword: true }))
            });
            // Of two the planner takes the first.
            own.replaced.extend(values);
        }
        Ok(self.sides.iter().map(|side| self.columns_of(side, options, &own)).collect())
    }

    fn columns_of(&self, side: &Side, options: &WildcardAdditionalOptions, own: &Options) -> SelectItem {
        let mut shown =
            WildcardAdditionalOptions { opt_ilike: options.opt_ilike.clone(), ..WildcardAdditionalOptions::default() };
        let items: Vec<_> = own
            .replaced
            .iter()
            .filter(|(holder, _)| *holder == side.name)
            .map(|(_, element)| Box::new(element.clone()))
            .collect();
        if !items.is_empty() {
            shown.opt_replace = Some(ReplaceSelectItem { items });
        }
        let hidden = self.keys.iter().filter(|key| key.hidden_in.contains(&side.name)).map(|key| &key.name);
        let left_out = own.left_out.iter().filter(|(holder, _)| *holder == side.name).map(|(_, name)| name);
        let names: Vec<ObjectName> = hidden.chain(left_out).map(|name| ObjectName::from(quoted(name))).collect();
        if !names.is_empty() {
            shown.opt_exclude = Some(ExcludeSelectItem::Multiple(names));
        }
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(side.name.clone()), shown)
    }

    /// The relations of which `*` shows the column.
    fn holders(&self, name: &str) -> Result<Vec<&ObjectName>> {
        if let Some(shown_in) = self.key(name).and_then(|key| key.shown_in.as_ref()) {
            return Ok(vec![shown_in]);
        }
        let (known, open) = (self.showing(name, Some(true)), self.showing(name, None));
        match (known.is_empty(), open.len()) {
            (false, _) => Ok(known),
            (true, 1) => Ok(open),
            // There is no such column, which the planner says.
            (true, 0) => Ok(self.sides.first().map(|side| &side.name).into_iter().collect()),
            (true, _) => Err(refusal()),
        }
    }

    /// The relations that `has` tells of, without those whose column `*` leaves out.
    fn showing(&self, name: &str, has: Option<bool>) -> Vec<&ObjectName> {
        let key = self.key(name);
        let names = self.sides.iter().filter(|side| side.has(name) == has).map(|side| &side.name);
        names.filter(|side| !key.is_some_and(|key| key.hidden_in.contains(side))).collect()
    }
}

/// The columns behind EXCLUDE and EXCEPT.
fn names_left_out(options: &WildcardAdditionalOptions) -> Result<Vec<String>> {
    let mut names = Vec::new();
    if let Some(except) = &options.opt_except {
        names.push(normalize(&except.first_element));
        names.extend(except.additional_elements.iter().map(normalize));
    }
    let excluded: &[ObjectName] = match &options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => std::slice::from_ref(name),
        Some(ExcludeSelectItem::Multiple(names)) => names.as_slice(),
        None => &[],
    };
    for name in excluded {
        names.push(normalize(&super::key_of(name)?));
    }
    Ok(names)
}

fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}
