//! Prints the truth table of the synthetic shop for a number of planned persons, as committed under `tests/data`.

use convoke::shop::Shop;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let persons = std::env::args().nth(1).ok_or("how many persons? such as 2000")?.parse()?;
    serde_json::to_writer_pretty(std::io::stdout(), &Shop::new(persons).truth())?;
    Ok(())
}
