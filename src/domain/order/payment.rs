//! Whether an order's money is there, by the amounts of its payments against its total.
//!
//! Several payments are common: a gift card and a card, an attempt that was given up before another one succeeded, a
//! correction after a refund. So no single payment decides. What counts is whether those that are good cover the total.
//! Where the shop names no total, or no amounts, every payment that counts must be good.

use rust_decimal::Decimal;

use super::{Payment, PaymentState, ShopOrder, TransferTime};

/// Sums that differ by no more are equal: each line and each payment is rounded for itself.
const ROUNDING: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What an order's payments come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PaymentCheck {
    /// Nothing more is to be paid before the order goes, or the carrier collects it.
    Covered,
    /// Something is still to be paid, or all of it was refunded.
    NotPaid,
    /// Money was received and may still be taken back.
    NotActivated,
    /// These fields are needed to tell, and are missing.
    Unknown(Vec<String>),
}

/// The payments that count, each with its place in the order.
type Placed<'a> = Vec<(usize, &'a Payment)>;

/// Checks the payments of an order. Of the three moments, only "once it is authorized" takes a payment that is not
/// activated for good.
pub(super) fn check_payments(shop: &ShopOrder, when: TransferTime) -> PaymentCheck {
    let counted: Placed<'_> = shop.payments.iter().enumerate().filter(|(_, it)| it.is_counted()).collect();
    if counted.is_empty() {
        let is_free = shop.total.is_some_and(|total| total <= ROUNDING);
        return if is_free { PaymentCheck::Covered } else { PaymentCheck::NotPaid };
    }
    if is_refunded(&shop.payments) {
        return PaymentCheck::NotPaid;
    }
    let payments = counted.into_iter().filter(|(_, payment)| !payment.is_correction());
    let (good, waiting): (Placed<'_>, Placed<'_>) = payments.partition(|(_, payment)| is_good(payment, when));
    let unknown = find_unknown(shop, &good);
    let is_covered = match (&*good, &*unknown) {
        ([], _) => shop.total.is_some_and(|total| total <= ROUNDING),
        (_, []) => sum(&good) + ROUNDING >= shop.total.unwrap_or_default(),
        (_, fields) if !waiting.is_empty() => return PaymentCheck::Unknown(fields.to_vec()),
        _ => true,
    };
    match waiting.iter().any(|(_, payment)| payment.state == PaymentState::AwaitsActivation) {
        _ if is_covered => PaymentCheck::Covered,
        true => PaymentCheck::NotActivated,
        false => PaymentCheck::NotPaid,
    }
}

/// True where nothing more is to be paid before the order goes.
pub(super) fn is_covered(shop: &ShopOrder) -> bool {
    check_payments(shop, TransferTime::Authorized) == PaymentCheck::Covered
}

/// True where there were payments and nothing of them is left: each was refunded or cancelled, or a correction takes back
/// as much as was paid.
pub(super) fn is_refunded(payments: &[Payment]) -> bool {
    let counted: Vec<_> = payments.iter().filter(|payment| payment.is_counted()).collect();
    if counted.is_empty() {
        return !payments.is_empty();
    }
    let amounts: Option<Vec<_>> = counted.iter().map(|payment| payment.amount).collect();
    let has_correction = counted.iter().any(|payment| payment.is_correction());
    has_correction && amounts.is_some_and(|amounts| amounts.iter().sum::<Decimal>() <= ROUNDING)
}

fn is_good(payment: &Payment, when: TransferTime) -> bool {
    match payment.state {
        PaymentState::Paid => true,
        PaymentState::AwaitsActivation => when == TransferTime::Authorized || payment.cash_on_delivery,
        PaymentState::Open => payment.cash_on_delivery,
        PaymentState::Void => false,
    }
}

/// What is missing to compare the good payments with the total. Amounts of two currencies cannot be added up.
fn find_unknown(shop: &ShopOrder, good: &[(usize, &Payment)]) -> Vec<String> {
    let missing = good.iter().filter(|(_, payment)| payment.amount.is_none());
    let mut fields: Vec<_> = missing.map(|(at, _)| format!("payments[{at}].amount")).collect();
    let mut others = good.windows(2).filter(|pair| pair[0].1.currency != pair[1].1.currency);
    fields.extend(others.next().map(|pair| format!("payments[{}].currency", pair[1].0)));
    if shop.total.is_none() {
        fields.push("total".to_owned());
    }
    fields
}

fn sum(payments: &[(usize, &Payment)]) -> Decimal {
    payments.iter().filter_map(|(_, payment)| payment.amount).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::tests::order;

    /// A payment as `paid 10`, `open 5`, `waits 5`, `void 5`, `cod 5`, or without an amount.
    fn payment(text: &str) -> Payment {
        let (state, amount) =
            text.split_once(' ').map_or((text, None), |(state, amount)| (state, Some(amount)));
        Payment {
            id: None,
            state: match state {
                "paid" => PaymentState::Paid,
                "waits" => PaymentState::AwaitsActivation,
                "void" => PaymentState::Void,
                _ => PaymentState::Open,
            },
            cash_on_delivery: state == "cod",
            amount: amount.map(|amount| amount.parse().expect("an amount")),
            currency: Some("EUR".into()),
        }
    }

    fn check(total: &str, payments: &str, when: TransferTime) -> String {
        let payments = payments.split(", ").filter(|it| !it.is_empty()).map(payment).collect();
        let order = crate::domain::order::ShopOrder { total: total.parse().ok(), payments, ..order() };
        match check_payments(&order, when) {
            PaymentCheck::Covered => "covered".into(),
            PaymentCheck::NotPaid => "not paid".into(),
            PaymentCheck::NotActivated => "not activated".into(),
            PaymentCheck::Unknown(fields) => fields.join(", "),
        }
    }

    #[test]
    fn payments_are_weighed_against_the_total() {
        for (total, payments, authorized, paid) in [
            ("30", "paid 30", "covered", "covered"),
            ("30", "open 30", "not paid", "not paid"),
            ("30", "waits 30", "covered", "not activated"),
            ("30", "cod 30", "covered", "covered"),
            ("30", "void 30", "not paid", "not paid"),
            ("30", "", "not paid", "not paid"),
            // A gift card and another payment.
            ("30", "paid 10, paid 20", "covered", "covered"),
            ("30", "paid 10, waits 20", "covered", "not activated"),
            ("30", "paid 10, open 20", "not paid", "not paid"),
            ("30", "paid 10, cod 20", "covered", "covered"),
            ("30", "paid 10", "not paid", "not paid"),
            // An attempt that was cancelled, or given up, before another one.
            ("30", "void 30, paid 30", "covered", "covered"),
            ("30", "open 30, paid 30", "covered", "covered"),
            ("30", "open 30, waits 30", "covered", "not activated"),
            ("30", "cod 15, cod 15", "covered", "covered"),
            // A refund: an open correction is no open payment, and a whole one leaves nothing.
            ("30", "paid 30, open -5", "covered", "covered"),
            ("25", "paid 30, paid -5", "covered", "covered"),
            ("30", "paid 30, open -30", "not paid", "not paid"),
            ("30", "paid 30, paid -30", "not paid", "not paid"),
            ("30", "paid 30, void -30", "covered", "covered"),
            // Nothing to pay.
            ("0", "", "covered", "covered"),
            ("0.00", "void 10", "covered", "covered"),
            ("0", "paid 0", "covered", "covered"),
            ("0", "open 0", "covered", "covered"),
            // Rounding.
            ("30.01", "paid 30", "covered", "covered"),
            ("30.02", "paid 30", "not paid", "not paid"),
            // The shop names no total, or no amounts: each payment must be good.
            ("", "paid 30", "covered", "covered"),
            ("", "paid, waits", "covered", "payments[0].amount, total"),
            ("", "", "not paid", "not paid"),
            ("", "open", "not paid", "not paid"),
            ("30", "paid", "covered", "covered"),
            ("30", "paid, open 20", "payments[0].amount", "payments[0].amount"),
            ("", "paid 10, open 20", "total", "total"),
        ] {
            let expected = (authorized.to_owned(), paid.to_owned());
            let checked = (
                check(total, payments, TransferTime::Authorized),
                check(total, payments, TransferTime::Paid),
            );
            assert_eq!(checked, expected, "{payments:?} of {total:?}");
        }
    }

    #[test]
    fn amounts_of_two_currencies_are_not_added_up() {
        let mut order = crate::domain::order::ShopOrder { total: Some(Decimal::from(30)), ..order() };
        order.payments = vec![payment("paid 10"), payment("paid 20"), payment("open 5")];
        assert_eq!(check_payments(&order, TransferTime::Paid), PaymentCheck::Covered);
        order.payments[1].currency = Some("SEK".into());
        let unknown = PaymentCheck::Unknown(vec!["payments[1].currency".into()]);
        assert_eq!(check_payments(&order, TransferTime::Paid), unknown);
    }
}
