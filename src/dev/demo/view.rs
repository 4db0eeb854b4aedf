//! The live view: a bar for each step and the counts below; without a terminal, a line every two seconds.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use parking_lot::Mutex;

use crate::dev::sandbox::Reconciliation;

pub(super) struct View {
    orders: usize,
    bars: Option<Bars>,
    last_line: Mutex<Instant>,
}

struct Bars {
    placed: ProgressBar,
    at_warehouse: ProgressBar,
    shipped: ProgressBar,
    tracking_back: ProgressBar,
    stock: ProgressBar,
    counts: ProgressBar,
}

/// How often a line is printed without a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

impl View {
    pub(super) fn new(orders: usize) -> Self {
        let bars = std::io::stderr().is_terminal().then(|| Bars::new(orders as u64));
        Self { orders, bars, last_line: Mutex::new(Instant::now()) }
    }

    pub(super) const fn orders(&self) -> usize {
        self.orders
    }

    pub(super) fn note(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.placed.println(text),
            None => print_progress(text),
        }
    }

    pub(super) fn show(
        &self,
        reconciliation: &Reconciliation,
        open: i64,
        faults: usize,
        sent: (usize, usize),
        withheld: usize,
    ) {
        let counts = format!(
            "open {open} · faults met {faults} · webhooks {} answered {} withheld {withheld} · not yet {} · lost {} · doubled {}",
            sent.0,
            sent.1,
            reconciliation.missing.len(),
            reconciliation.lost - reconciliation.missing.len(),
            reconciliation.doubled
        );
        if let Some(bars) = &self.bars {
            bars.placed.set_position(reconciliation.placed as u64);
            for bar in [&bars.at_warehouse, &bars.shipped, &bars.tracking_back] {
                bar.set_length(reconciliation.placed.max(1) as u64);
            }
            bars.at_warehouse.set_position(reconciliation.at_warehouse as u64);
            bars.shipped.set_position(reconciliation.shipped as u64);
            bars.tracking_back.set_position(reconciliation.tracking_back as u64);
            bars.stock.set_length(reconciliation.codes as u64);
            bars.stock.set_position(reconciliation.stock_equal as u64);
            bars.counts.set_message(counts);
            return;
        }
        let mut last = self.last_line.lock();
        if last.elapsed() >= LINE_INTERVAL {
            *last = Instant::now();
            let Reconciliation {
                placed,
                at_warehouse,
                shipped,
                tracking_back,
                codes,
                products,
                stock_equal,
                ..
            } = reconciliation;
            print_progress(&format!(
                "placed {placed} · at warehouse {at_warehouse} · shipped {shipped} · tracking back {tracking_back} · \
                 products {products}/{codes} · stock {stock_equal}/{codes} · {counts}"
            ));
        }
    }

    pub(super) fn finish(&self) {
        if let Some(Bars { placed, at_warehouse, shipped, tracking_back, stock, counts }) = &self.bars {
            for bar in [placed, at_warehouse, shipped, tracking_back, stock, counts] {
                bar.abandon();
            }
        }
    }
}

impl Bars {
    fn new(orders: u64) -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("  {prefix:<18} {bar:40.cyan/dim} {pos:>4}/{len}")
            .expect("the template is a constant");
        let bar = |name: &'static str| {
            let bar = all.add(ProgressBar::new(orders).with_style(style.clone()));
            bar.set_prefix(name);
            bar
        };
        let (placed, at_warehouse, shipped) = (bar("orders due"), bar("at the warehouse"), bar("shipped"));
        let (tracking_back, stock) = (bar("tracking back"), bar("stock equal"));
        let plain = ProgressStyle::with_template("  {msg}").expect("the template is a constant");
        let counts = all.add(ProgressBar::new(1).with_style(plain));
        Self { placed, at_warehouse, shipped, tracking_back, stock, counts }
    }
}

#[expect(clippy::print_stdout, reason = "people watch the demo")]
pub(super) fn print_verdict(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "progress stays out of the verdict on standard output")]
fn print_progress(text: &str) {
    eprintln!("{text}");
}
