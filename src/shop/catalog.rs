//! What the shop sells, under which brands, and where: fixed tables, and products computed from them in integers.
//!
//! Must not know customers or events.

use std::sync::LazyLock;

/// Hundredths of a yuan.
pub type Fen = i64;

pub const CURRENCY: &str = "CNY";

/// The brand whose sales decline through 2024.
pub const DECLINING_BRAND: usize = 0;

pub const BRANDS: [&str; 3] = ["Aster", "Birch", "Cedar"];

/// Share of each brand in the orders of a quarter; the first one falls from 40 % to 6 % through 2024.
pub const BRAND_WEIGHTS: [[u32; 3]; 8] =
    [[40, 35, 25], [40, 35, 25], [40, 34, 26], [40, 34, 26], [30, 40, 30], [21, 45, 34], [13, 49, 38], [6, 53, 41]];

/// (store, region).
pub const STORES: [(&str, &str); 8] = [
    ("S01", "Guangdong"),
    ("S02", "Guangdong"),
    ("S03", "Shanghai"),
    ("S04", "Beijing"),
    ("S05", "Zhejiang"),
    ("S06", "Sichuan"),
    ("S07", "Hubei"),
    ("S08", "Fujian"),
];

/// Leaves of the category tree with the usual price in yuan. One name of the first level holds a '/'.
const LEAVES: [([&str; 3], Fen); 30] = [
    (["Women", "Tops", "Shirts"], 199),
    (["Women", "Tops", "Knitwear"], 299),
    (["Women", "Tops", "T-shirts"], 99),
    (["Women", "Dresses", "Casual"], 359),
    (["Women", "Dresses", "Evening"], 799),
    (["Women", "Trousers", "Jeans"], 289),
    (["Women", "Shoes", "Flats"], 329),
    (["Women", "Shoes", "Heels"], 459),
    (["Men", "Tops", "Shirts"], 219),
    (["Men", "Tops", "T-shirts"], 109),
    (["Men", "Suits", "Jackets"], 899),
    (["Men", "Suits", "Trousers"], 399),
    (["Men", "Trousers", "Jeans"], 309),
    (["Men", "Shoes", "Sneakers"], 499),
    (["Kids", "Girls", "Dresses"], 159),
    (["Kids", "Girls", "Tops"], 79),
    (["Kids", "Boys", "Tops"], 79),
    (["Kids", "Boys", "Trousers"], 119),
    (["Kids", "Baby", "Bodysuits"], 89),
    (["Home / Living", "Bedroom", "Bed linen"], 399),
    (["Home / Living", "Bedroom", "Pillows"], 129),
    (["Home / Living", "Kitchen", "Tableware"], 169),
    (["Home / Living", "Kitchen", "Tea sets"], 259),
    (["Home / Living", "Decor", "Candles"], 69),
    (["Beauty", "Skin care", "Creams"], 269),
    (["Beauty", "Skin care", "Masks"], 59),
    (["Beauty", "Make-up", "Lipsticks"], 189),
    (["Beauty", "Make-up", "Foundations"], 239),
    (["Beauty", "Fragrance", "Perfumes"], 599),
    (["Beauty", "Fragrance", "Home scents"], 139),
];

pub const LEAF_COUNT: usize = LEAVES.len();

/// Products of one brand in one leaf.
const PRODUCTS_PER_BRAND: usize = 3;

/// What the unit cost is of the price, in per cent.
const COST_PER_CENT: [Fen; 5] = [34, 41, 47, 52, 60];

pub struct Product {
    pub id: String,
    pub category: [&'static str; 3],
    pub price: Fen,
    pub cost: Fen,
}

/// A product by brand, leaf and place within them; each is taken modulo the length of its table.
pub fn product(brand: usize, leaf: usize, place: usize) -> &'static Product {
    static PRODUCTS: LazyLock<Vec<Product>> = LazyLock::new(all_products);
    let shelf = (leaf % LEAF_COUNT) * BRANDS.len() + brand % BRANDS.len();
    &PRODUCTS[shelf * PRODUCTS_PER_BRAND + place % PRODUCTS_PER_BRAND]
}

fn all_products() -> Vec<Product> {
    let mut products = Vec::with_capacity(LEAF_COUNT * BRANDS.len() * PRODUCTS_PER_BRAND);
    for (category, yuan) in LEAVES {
        for brand in BRANDS {
            for place in 0..PRODUCTS_PER_BRAND {
                let number = products.len();
                let price = yuan * (70 + 30 * place as Fen) - 10 * (number as Fen % 3);
                let cost = price * COST_PER_CENT[number % COST_PER_CENT.len()] / 100;
                let initial = brand.chars().next().unwrap_or('P');
                products.push(Product { id: format!("{initial}{number:04}"), category, price, cost });
            }
        }
    }
    products
}
