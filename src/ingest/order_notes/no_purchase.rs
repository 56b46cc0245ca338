//! Names of events that say that nothing was bought, or that it was taken back. To be offered as purchases they must not
//! be: what failed would count as revenue.

/// Parts of such names in English and German, as [`fold`] writes them.
const SAYING_SO: [&str; 45] = [
    "fail",
    "error",
    "declin",
    "denied",
    "reject",
    "unsuccess",
    "incomplete",
    "unpaid",
    "notpaid",
    "pending",
    "cancel",
    "voided",
    "expired",
    "abandon",
    "refund",
    "return",
    "reversed",
    "reversal",
    "chargeback",
    "disput",
    "creditnote",
    "fehlgeschlagen",
    "fehlschlag",
    "fehler",
    "gescheitert",
    "abgelehnt",
    "ablehnung",
    "abgebrochen",
    "abbruch",
    "abgelaufen",
    "verfallen",
    "unbezahlt",
    "nichtbezahlt",
    "ausstehend",
    "storn",
    "widerruf",
    "kuendig",
    "erstatt",
    "zurueck",
    "rueckgab",
    "ruecksend",
    "rueckzahl",
    "rueckbuch",
    "ruecklast",
    "retour",
];

/// Whole names, as [`fold`] writes them, of what comes before a purchase or tells of one once more, by the event lists of
/// Segment, GA4, Meta, Klaviyo and Shopify: they say the money of a basket.
const BESIDE_ONE: [&str; 42] = [
    "addedtocart",
    "addpaymentinfo",
    "addshippinginfo",
    "addtocart",
    "addtowishlist",
    "begincheckout",
    "cartshared",
    "cartupdated",
    "cartviewed",
    "checkoutstarted",
    "checkoutstepcompleted",
    "checkoutstepviewed",
    "couponapplied",
    "couponentered",
    "couponremoved",
    "initiatecheckout",
    "initiatedcheckout",
    "orderupdated",
    "paymentinfoentered",
    "paymentinfosubmitted",
    "productadded",
    "productaddedtocart",
    "productaddedtowishlist",
    "productclicked",
    "productlistviewed",
    "productremoved",
    "productremovedfromcart",
    "productsearched",
    "productshared",
    "productviewed",
    "promotionclicked",
    "promotionviewed",
    "removefromcart",
    "selectitem",
    "selectpromotion",
    "startedcheckout",
    "viewcart",
    "viewedproduct",
    "viewitem",
    "viewitemlist",
    "viewpromotion",
    "wishlistproductaddedtocart",
];

pub(super) fn says_no_purchase(event: &str) -> bool {
    let folded = fold(event);
    // A receipt for what is given back; other names have it within them, too.
    let says_so = SAYING_SO.iter().any(|part| folded.contains(part)) || folded == "gutschrift";
    says_so || BESIDE_ONE.contains(&folded.as_str())
}

/// In lower case, without blanks and signs, and without umlauts.
fn fold(name: &str) -> String {
    let letters = name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.collect::<String>().replace('ü', "ue")
}

#[cfg(test)]
mod tests;
