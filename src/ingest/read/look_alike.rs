//! Columns whose names look like a field or an identifier and are not: named in the load's report, never used unasked.
//!
//! Must not know any file format.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::decimal_marks::DecimalMarks;
use super::field::EventField;
use super::mapping::Target;
use super::twins::Twins;

/// What a reader noticed of its file as a whole, for people to read. Cheap to clone: all clones share the notes.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    texts: Arc<Mutex<Vec<String>>>,
    unread_revenues: Arc<AtomicU64>,
    unread_numbers: Arc<AtomicU64>,
    /// Keys of one row that are one field.
    pub(super) twins: Twins,
    pub(super) decimal_marks: DecimalMarks,
}

impl Notes {
    pub fn add(&self, note: String) {
        self.texts.lock().push(note);
    }

    /// Counts an event whose revenue is no number and counts as absent.
    pub fn add_unread_revenue(&self) {
        self.unread_revenues.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a quantity or cost in the properties that is no number and counts as absent.
    pub fn add_unread_number(&self) {
        self.unread_numbers.fetch_add(1, Ordering::Relaxed);
    }

    pub fn to_vec(&self) -> Vec<String> {
        let mut notes = self.texts.lock().clone();
        notes.extend(self.twins.notes());
        notes.extend(self.decimal_marks.notes());
        match self.unread_revenues.load(Ordering::Relaxed) {
            0 => {}
            1 => notes.push("1 event has a revenue that is no number: what else says its amount counts".to_owned()),
            count => notes
                .push(format!("{count} events have a revenue that is no number: what else says their amounts counts")),
        }
        match self.unread_numbers.load(Ordering::Relaxed) {
            0 => {}
            1 => notes.push("1 quantity or cost in the properties is no number: it counts as absent".to_owned()),
            count => notes
                .push(format!("{count} quantities or costs in the properties are no numbers: they count as absent")),
        }
        notes
    }
}

/// Where a field's values come from in exports, those of the common shops among them (Shopify `total_price`, Magento
/// `grand_total` and `qty_ordered`, BigCommerce `total_inc_tax`): names in lower case, letters and digits only.
const NAMES_OF_FIELDS: [(EventField, &[&str]); 9] = [
    (
        EventField::UserId,
        &[
            "customerid",
            "customer",
            "customerno",
            "customernumber",
            "customercode",
            "custid",
            "custno",
            "clientid",
            "clientno",
            "clientnumber",
            "buyerid",
            "shopperid",
            "uid",
            "userno",
        ],
    ),
    (EventField::AnonymousId, &["cookie", "cookieid", "visitorid", "anonid", "clientcookie"]),
    (
        EventField::OrderId,
        &[
            "orderno",
            "ordernumber",
            "ordernr",
            "ordercode",
            "orderref",
            "orderreference",
            "order",
            "incrementid",
            "invoice",
            "invoiceno",
            "invoiceid",
            "invoicenumber",
            "purchaseid",
            "transactionid",
            "receiptno",
            "receiptid",
            "receiptnumber",
        ],
    ),
    (
        EventField::Revenue,
        &[
            "amount",
            "amountpaid",
            "amounttotal",
            "currenttotalprice",
            "grandtotal",
            "grossamount",
            "invoiceamount",
            "invoicetotal",
            "netamount",
            "netsales",
            "orderamount",
            "ordertotal",
            "ordertotalamount",
            "ordertotalprice",
            "ordervalue",
            "paid",
            "paidamount",
            "paymentamount",
            "purchaserevenue",
            "refund",
            "refundamount",
            "refundedamount",
            "refundtotal",
            "refundvalue",
            "sales",
            "totalamount",
            "totalrefund",
            "totalrefunded",
            "totalexcltax",
            "totalextax",
            "totalincltax",
            "totalinclvat",
            "totalinctax",
            "totalpaid",
            "totalprice",
            "totalrevenue",
            "totalsales",
            "totalvalue",
            "transactionamount",
            "transactionrevenue",
            "turnover",
        ],
    ),
    (
        EventField::Currency,
        &["currencycode", "currencyiso", "curr", "ccy", "cur", "ordercurrency", "ordercurrencycode"],
    ),
    (
        EventField::ProductId,
        &[
            "sku",
            "skuid",
            "productcode",
            "productno",
            "productnumber",
            "productsku",
            "itemid",
            "itemno",
            "itemnumber",
            "itemcode",
            "itemsku",
            "lineitemsku",
            "stockcode",
            "articleno",
            "articlenumber",
            "articleid",
            "ean",
        ],
    ),
    (
        EventField::Quantity,
        &[
            "qty",
            "qtyordered",
            "quantityordered",
            "itemquantity",
            "lineitemquantity",
            "orderquantity",
            "orderqty",
            "units",
            "pieces",
            "pcs",
            "count",
            "quantities",
        ],
    ),
    (
        EventField::StoreId,
        &["store", "storeno", "storecode", "storenumber", "shopid", "branchid", "outlet", "outletid"],
    ),
    (EventField::CampaignId, &["campaign", "utmcampaign", "campaignno", "campaigncode"]),
];

const NAMES_OF_IDENTIFIERS: [(&str, &[&str]); 6] = [
    ("email", &["email", "mail", "emailaddress", "emailaddr", "mailaddress", "useremail", "customeremail"]),
    (
        "phone",
        &[
            "phone",
            "phoneno",
            "phonenumber",
            "mobile",
            "mobileno",
            "mobilephone",
            "mobilenumber",
            "tel",
            "telephone",
            "msisdn",
        ],
    ),
    ("member_no", &["memberno", "memberid", "membernumber", "membercard", "cardno", "loyaltyid"]),
    ("device_id", &["deviceid", "idfa", "gaid", "androidid"]),
    ("wechat_openid", &["wechatopenid", "openid"]),
    ("wechat_unionid", &["wechatunionid", "unionid"]),
];

/// Letters and digits of a name in lower case.
fn fold(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The field or identifier that a column's name looks like.
fn find_resemblance(column: &str) -> Option<Target> {
    let folded = fold(column);
    let spelled = EventField::all()
        .find(|field| fold(field.name()) == folded || field.alias().is_some_and(|alias| fold(alias) == folded));
    let named = || NAMES_OF_FIELDS.iter().find(|(_, names)| names.contains(&folded.as_str())).map(|(field, _)| *field);
    if let Some(field) = spelled.or_else(named) {
        return Some(Target::Field(field));
    }
    let identifier = NAMES_OF_IDENTIFIERS.iter().find(|(_, names)| names.contains(&folded.as_str()));
    if let Some((kind, _)) = identifier {
        return Some(Target::Identifier((*kind).to_owned()));
    }
    find_misspelling(&folded).map(Target::Field)
}

/// A field's name with one slip in it: a letter too many, too few, another, or two exchanged.
fn find_misspelling(folded: &str) -> Option<EventField> {
    /// Shorter names have too many neighbours that are words of their own.
    const MIN_LENGTH: usize = 6;
    let long_enough = folded.chars().count() >= MIN_LENGTH;
    EventField::all().find(|field| {
        let name = fold(field.name());
        long_enough && name.len() >= MIN_LENGTH && strsim::osa_distance(folded, &name) == 1
    })
}

/// What names look like, looked up once a name: rows repeat their keys.
#[derive(Debug, Default)]
pub struct Resemblances {
    by_name: HashMap<String, Option<Target>>,
}

impl Resemblances {
    /// Names that are remembered; a file with more has keys that are values.
    const MOST_NAMES: usize = 1_000;

    pub fn of(&mut self, name: &str) -> Option<Target> {
        if let Some(known) = self.by_name.get(name) {
            return known.clone();
        }
        if self.by_name.len() == Self::MOST_NAMES {
            return None;
        }
        let found = find_resemblance(name);
        self.by_name.insert(name.to_owned(), found.clone());
        found
    }
}

/// The look-alikes of one file.
#[derive(Debug, Default)]
pub struct LookAlikes {
    found: Vec<LookAlike>,
}

#[derive(Debug)]
struct LookAlike {
    column: String,
    target: Target,
    /// Under the name of what it looks like it would be read.
    is_read_by_name: bool,
}

impl LookAlikes {
    /// Takes note of a column that feeds nothing, unless what it looks like has another column: `is_fed` tells.
    pub fn look_at(&mut self, column: &str, is_fed: impl Fn(&Target) -> bool) {
        if let Some(target) = find_resemblance(column).filter(|target| !is_fed(target)) {
            self.add(column, &target, false);
        }
    }

    /// Adds one that was found. `is_read_by_name`: other rows have the field, or their properties may, so that this one is
    /// to be named as they are.
    pub fn add(&mut self, column: &str, target: &Target, is_read_by_name: bool) {
        self.found.push(LookAlike { column: column.to_owned(), target: target.clone(), is_read_by_name });
    }

    /// Adds one note about all of them.
    pub fn report(self, notes: &Notes) {
        let Some(LookAlike { column: example, .. }) = self.found.first() else { return };
        let texts = self.found.iter().map(|LookAlike { column, target, is_read_by_name }| match is_read_by_name {
            // Mapped, the field would come from this key alone, and the rows that have it would lose theirs.
            true => format!("'{column}' (other rows have {target}: name it so in these, too)"),
            false => format!("'{column}' (--map '{target}={}'{})", escape(column), consequence(target)),
        });
        notes.add(format!(
            "columns that look like a field and are not used, but kept as properties: {0}; --map 'properties.{1}={1}' says \
             that one is meant so",
            texts.collect::<Vec<_>>().join(", "),
            escape(example)
        ));
    }

    /// The same of keys within an object of properties, which a mapping does not reach.
    pub fn report_within_properties(self, notes: &Notes) {
        if self.found.is_empty() {
            return;
        }
        let texts = self.found.iter().map(|LookAlike { column, target, is_read_by_name }| match target {
            _ if *is_read_by_name => format!("'{column}' (to be read as {target}, name it so)"),
            Target::Identifier(kind) => {
                format!(
                    "'{column}' (to be read as {target}, write it among the identifiers of the event, of type {kind})"
                )
            }
            _ => format!("'{column}' (to be read as {target}, write it so beside the properties)"),
        });
        notes.add(format!(
            "keys of properties or traits that look like a field and are not read as one: {}",
            texts.collect::<Vec<_>>().join(", ")
        ));
    }
}

/// What a mapping changes beyond the column itself.
fn consequence(target: &Target) -> &'static str {
    match target {
        // An export of lines may say the order's total on each of them.
        Target::Field(EventField::ProductId) => {
            ": a row with a product is one line of its order, and what it says as its total adds up with the other lines"
        }
        _ => "",
    }
}

/// A column's name as a mapping takes it.
pub fn escape(column: &str) -> String {
    column.replace('\\', "\\\\").replace(',', "\\,").replace('/', "\\/")
}
