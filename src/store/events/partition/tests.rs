use super::*;

/// Expected instants from Python's zoneinfo: datetime(y, m, 1, tzinfo=ZoneInfo(zone)).timestamp().
#[test]
fn months_begin_at_local_midnight() {
    for (zone, year, month, seconds) in [
        ("UTC", 2024, 3, 1_709_251_200),
        ("Asia/Shanghai", 2024, 3, 1_709_222_400),
        ("America/New_York", 2024, 11, 1_730_433_600),
        ("America/New_York", 2024, 12, 1_733_029_200),
    ] {
        let months = LocalMonths::new(zone.parse().unwrap());
        assert_eq!(months.first_instant(year, month).unwrap(), seconds * 1_000_000, "{zone} {year}-{month}");
    }
}

#[test]
fn the_last_microsecond_of_a_local_month_belongs_to_it() {
    let months = LocalMonths::new("Asia/Shanghai".parse().unwrap());
    let march = 1_709_222_400_000_000;
    assert_eq!(months.month_of(march).unwrap().name, "2024-03");
    assert_eq!(months.month_of(march - 1).unwrap().name, "2024-02");
}
