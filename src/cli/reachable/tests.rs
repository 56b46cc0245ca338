use super::*;

/// 0.0.0.0 and [::] stand for all addresses of a machine (RFC 1122 3.2.1.3, RFC 4291 2.5.2): nobody elsewhere reaches them.
#[test]
fn a_server_on_all_addresses_is_reached_by_the_name_of_its_machine() {
    let told = |listens_on: &str, host: &str| address_on("http", listens_on.parse().unwrap(), host);
    assert_eq!(told("0.0.0.0:8815", "shop-1.example.com"), "http://shop-1.example.com:8815");
    assert_eq!(told("[::]:8815", "shop"), "http://shop:8815");
    assert_eq!(told("127.0.0.1:8815", "shop"), "http://127.0.0.1:8815");
    assert_eq!(told("[::1]:8815", "shop"), "http://[::1]:8815");
    for host in ["", "(none)", "my shop", "shop."] {
        assert_eq!(told("0.0.0.0:8815", host), "http://0.0.0.0:8815", "{host:?} is no name");
    }
}

#[test]
fn the_machine_has_a_name() {
    let told = address("https", "0.0.0.0:8815".parse().unwrap());
    assert!(told.starts_with("https://") && told.ends_with(":8815"), "{told}");
}
