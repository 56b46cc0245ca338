//! Keys of a product that look like one that counts and are none: told, never read (SQL.md 1 says which names count).

/// What a key of a product looks like: a key that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meant {
    ProductId,
    Quantity,
    Price,
    Total,
    Discount,
    Cost,
}

impl Meant {
    pub(super) fn name(self) -> &'static str {
        match self {
            Meant::ProductId => "product_id",
            Meant::Quantity => "quantity",
            Meant::Price => "price",
            Meant::Total => "total",
            Meant::Discount => "discount",
            Meant::Cost => "cost",
        }
    }
}

/// Longer keys are none of those below.
const LONGEST: usize = 24;

/// What the key looks like by its letters and digits. Asked of every key of every product: without an allocation.
pub(super) fn find_resemblance(key: &str) -> Option<Meant> {
    let mut folded = [0_u8; LONGEST];
    let mut length = 0;
    for byte in key.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' ' | b'.')) {
        *folded.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    let meant = match &folded[..length] {
        b"id" | b"productid" | b"productno" | b"productnumber" | b"productcode" | b"productsku" | b"itemid"
        | b"itemno" | b"itemcode" | b"itemsku" | b"skuid" | b"skucode" | b"stockcode" | b"articleno"
        | b"articlenumber" | b"ean" => Meant::ProductId,
        b"quantity" | b"quantities" | b"qty" | b"units" | b"pieces" | b"pcs" | b"count" | b"itemquantity"
        | b"productquantity" | b"qtyordered" | b"quantityordered" => Meant::Quantity,
        b"unitprice" | b"priceperunit" | b"itemprice" | b"productprice" | b"saleprice" | b"salesprice"
        | b"sellingprice" => Meant::Price,
        b"linetotal" | b"itemtotal" | b"producttotal" | b"subtotal" | b"totalprice" | b"totalamount"
        | b"lineamount" => Meant::Total,
        b"discountamount" | b"linediscount" | b"itemdiscount" | b"totaldiscount" => Meant::Discount,
        b"unitcost" | b"costprice" | b"itemcost" | b"productcost" => Meant::Cost,
        _ => return None,
    };
    Some(meant)
}
