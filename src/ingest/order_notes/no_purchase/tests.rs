use super::says_no_purchase;

#[test]
fn names_that_say_so() {
    for event in [
        "fehlgeschlagen",
        "charge.failed",
        "payment_failed",
        "PaymentFailed",
        "Order Cancelled",
        "canceled",
        "refunded",
        "abandoned",
        "Cart Abandoned",
        "Zahlung storniert",
        "Rückerstattung",
        "Zurückgezahlt",
        "zurueckgezahlt",
        "Rücklastschrift",
        "nicht bezahlt",
        "Gekündigt",
        "Abgebrochen",
        "charge.dispute.created",
        "Gutschrift",
        "Checkout Started",
        "Order Updated",
        "add_to_cart",
        "begin_checkout",
        "InitiateCheckout",
    ] {
        assert!(says_no_purchase(event), "{event}");
    }
    for event in [
        "bezahlt",
        "charge.succeeded",
        "checkout_completed",
        "invoice.paid",
        "Sold",
        "Empfehlung gekauft",
        "Glückskauf",
        "消费",
        "",
    ] {
        assert!(!says_no_purchase(event), "{event}");
    }
}
