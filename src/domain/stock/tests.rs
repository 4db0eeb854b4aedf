use super::*;

const HOUSE: WarehouseStock = WarehouseStock {
    physical: 10,
    available: 7,
    modified: None,
    read_at: None,
    version: None,
    unreadable: Vec::new(),
};

fn shop(quantity: i64, enabled: bool) -> ShopStock {
    ShopStock { quantity, reserved: Some(2), enabled, supplier: Supplier::NotRead, unreadable: Vec::new() }
}

fn policy(basis: Basis, buffer: i64) -> StockPolicy {
    StockPolicy {
        update: Switch::Automatic,
        basis,
        buffer,
        buffers: HashMap::from([(CodeKey::of("B"), 1)]),
        tracking: false,
        brake: 30,
    }
}

fn view<'a>(
    code: &'a str,
    warehouse: Option<&'a WarehouseStock>,
    shop: Option<&'a ShopStock>,
) -> StockView<'a> {
    StockView {
        code,
        warehouse,
        shop,
        in_flight: 3,
        written: None,
        acted_on: None,
        now: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn each_pair_of_figures_leads_to_its_decision() {
    use Basis::{Available, Compensated, Physical};
    let next = |basis, buffer, code: &str, quantity, enabled| {
        decide(&view(code, Some(&HOUSE), Some(&shop(quantity, enabled))), &policy(basis, buffer))
    };
    let patch = |quantity, falls_to_zero| Decision::Patch { quantity, falls_to_zero };

    assert_eq!(next(Available, 0, "A", 7, true), Decision::Nothing);
    assert_eq!(
        next(Available, 0, "A", 7, false),
        Decision::Nothing,
        "its stock is not tracked, and need not be"
    );
    assert_eq!(next(Available, 0, "A", 9, false), patch(7, false));
    assert_eq!(next(Available, 0, "A", 9, true), patch(7, false));
    assert_eq!(next(Physical, 0, "A", 7, true), patch(10, false));
    assert_eq!(next(Compensated, 0, "A", 7, true), patch(9, false), "never more than the shop has reserved");
    assert_eq!(next(Available, 2, "A", 7, true), patch(5, false));
    assert_eq!(next(Available, 2, " b", 7, true), patch(6, false), "a code's own buffer goes before");
    assert_eq!(next(Available, 50, "A", 7, true), patch(0, true));
    assert_eq!(next(Available, 50, "A", 0, false), Decision::Nothing);
    let physical = policy(Physical, 0);
    assert_eq!(decide(&view("A", Some(&HOUSE), None), &physical), Decision::Skip(Reason::UnknownInShop));
    let unknown = decide(&view("A", None, Some(&shop(1, true))), &physical);
    assert_eq!(unknown, Decision::Skip(Reason::UnknownAtWarehouse));
}

#[test]
fn tracking_is_switched_on_only_where_it_is_wanted() {
    let (off, fine) = (shop(7, false), policy(Basis::Available, 0));
    let wanted = StockPolicy { tracking: true, ..fine.clone() };
    let patch = Decision::Patch { quantity: 7, falls_to_zero: false };
    let of = |shop: &ShopStock, written, policy: &StockPolicy| {
        decide(&StockView { written, ..view("A", Some(&HOUSE), Some(shop)) }, policy)
    };
    assert_eq!(of(&off, Some(7), &fine), Decision::Nothing);
    assert_eq!(of(&off, Some(7), &wanted), patch);
    let none = StockPolicy { buffer: 50, ..wanted.clone() };
    let empty = Decision::Patch { quantity: 0, falls_to_zero: false };
    assert_eq!(of(&shop(0, false), None, &none), empty, "nothing was for sale before either");
    let keeps_none = shop(0, false);
    assert_eq!(of(&keeps_none, Some(3), &fine), patch);
    assert_eq!(of(&keeps_none, Some(7), &fine), Decision::Nothing, "the shop keeps no figure of it");
    assert_eq!(of(&shop(0, true), Some(7), &fine), patch);
}

#[test]
fn older_reading_never_overwrites_a_newer_one() {
    let at = |second| Timestamp::from_timestamp(second, 0);
    let shop = shop(9, true);
    let next = |read, acted_on, now| {
        let house = WarehouseStock { modified: at(read), ..HOUSE };
        let now = at(now).expect("small");
        let view = StockView { acted_on: at(acted_on), now, ..view("A", Some(&house), Some(&shop)) };
        decide(&view, &policy(Basis::Available, 0))
    };
    let patch = Decision::Patch { quantity: 7, falls_to_zero: false };
    assert_eq!(next(5, 6, 7), Decision::Stale);
    assert_eq!(next(6, 6, 7), patch);
    assert_eq!(next(5, 6, 6 + 900), patch, "no search lags that long: its clock has gone back");
    assert_eq!(next(5, 10_000, 7), patch, "a figure from the future orders nothing");
    assert_eq!(next(10_000, 6, 7), patch);

    // The warehouse's own clock says when it was read, whatever ours shows.
    let house = WarehouseStock { modified: at(5), read_at: at(7), ..HOUSE };
    for now in [-3600, 7, 3600] {
        let now = at(now).expect("small");
        let view = StockView { acted_on: at(6), now, ..view("A", Some(&house), Some(&shop)) };
        assert_eq!(decide(&view, &policy(Basis::Available, 0)), Decision::Stale, "{now}");
    }
}

#[test]
fn unreadable_figure_is_neither_zero_nor_written() {
    let house = WarehouseStock { unreadable: vec!["stockAvailable".into()], ..HOUSE };
    let unread = ShopStock { unreadable: vec!["quantity".into()], ..shop(0, true) };
    let (fine, policy) = (shop(3, true), policy(Basis::Available, 0));
    for (view, name) in [
        (
            view("A", Some(&house), Some(&fine)),
            "warehouse's figure has values that cannot be read: stockAvailable",
        ),
        (view("A", Some(&HOUSE), Some(&unread)), "shop's figure has values that cannot be read: quantity"),
    ] {
        let Decision::AskOperator { detail } = decide(&view, &policy) else { panic!("{name}") };
        assert!(detail.contains(name), "{detail}");
    }
}

#[test]
fn brake_stops_too_great_a_share_and_lets_a_few_pass() {
    let policy = policy(Basis::Available, 0);
    assert!(!policy.should_brake(4, 0), "a small shop sells out too");
    assert!(policy.should_brake(5, 0));
    assert!(!policy.should_brake(30, 70));
    assert!(policy.should_brake(31, 69));
    assert!(!StockPolicy { brake: 100, ..policy }.should_brake(5000, 0), "100 never brakes");
}
