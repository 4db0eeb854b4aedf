//! A day of many stores, simulated minute by minute from measured figures: the load of each minute, the capacity of the
//! servers, and how long an order waits where that is not enough.

use anyhow::Result;
use serde_json::json;

use super::Bench;
use crate::picture::{Line, Picture};

/// The load of a store and the capacity of a server. Webhooks and calls per order are counted in the sandbox; the hours
/// are a guess at a Nordic web shop's day.
#[derive(Clone, Copy)]
struct Assumed {
    orders_a_day: f64,
    webhooks_an_order: f64,
    calls_an_order: f64,
    /// Orders a second of one server, from the webhook to the settled task.
    capacity: f64,
}

/// The shares of a day's orders by hour: little at night, most in the evening. They sum to one.
const HOURS: [f64; 24] = [
    0.012, 0.007, 0.005, 0.004, 0.005, 0.010, 0.020, 0.032, 0.042, 0.050, 0.054, 0.055, 0.055, 0.053, 0.052,
    0.053, 0.056, 0.062, 0.072, 0.085, 0.090, 0.072, 0.038, 0.016,
];

/// How much busier the busiest day of a year is.
const BUSIEST: f64 = 5.0;

struct Day {
    servers: usize,
    busiest_second: f64,
    longest_wait: f64,
    waits: Vec<(f64, f64)>,
}

pub fn run(bench: &mut Bench) -> Result<()> {
    let capacity = bench.report.median_of("orders, webhook in to placed and settled").unwrap_or(600.0);
    // Half of what was measured; the other half is for everything besides orders.
    let assumed = Assumed {
        orders_a_day: 30.0,
        webhooks_an_order: 4.0,
        calls_an_order: 12.0,
        capacity: capacity / 2.0,
    };
    let mut table = Vec::new();
    println!(
        "\n| stores | orders on the busiest day | webhooks/s at its peak | calls/s | servers | longest wait of an order |"
    );
    println!("|--:|--:|--:|--:|--:|--:|");
    for stores in [100.0, 1_000.0, 10_000.0, 100_000.0] {
        let day = simulate(stores, assumed);
        println!(
            "| {stores} | {:.0} | {:.0} | {:.0} | {} | {:.1} s |",
            stores * assumed.orders_a_day * BUSIEST,
            day.busiest_second * assumed.webhooks_an_order,
            day.busiest_second * assumed.calls_an_order,
            day.servers,
            day.longest_wait
        );
        table.push(json!({ "stores": stores, "servers": day.servers, "orders_a_second": day.busiest_second,
            "longest_wait_seconds": day.longest_wait }));
        if stores > 99_999.0 {
            bench.draw(&Picture {
                file: "day",
                title: "100,000 stores on the busiest day, with half the servers it needs: an order's wait",
                x: "hour",
                y: "minutes",
                log_y: false,
                lines: vec![Line::first("wait", day.waits)],
            })?;
        }
    }
    bench.report.fact("day", json!(table));
    Ok(())
}

/// The busiest day: how many servers its peak needs, and the waits with half of them.
fn simulate(stores: f64, assumed: Assumed) -> Day {
    let orders = stores * assumed.orders_a_day * BUSIEST;
    let busiest_second = HOURS.iter().copied().fold(0.0, f64::max) * orders / 3600.0;
    let servers = (busiest_second / assumed.capacity).ceil().max(1.0);
    let longest_wait =
        waits(orders, servers * assumed.capacity).iter().map(|(_, wait)| *wait).fold(0.0, f64::max);
    let half = (servers / 2.0).max(0.5);
    let waits =
        waits(orders, half * assumed.capacity).into_iter().map(|(hour, wait)| (hour, wait / 60.0)).collect();
    Day { servers: servers as usize, busiest_second, longest_wait, waits }
}

/// For each minute: the hour, and how many seconds an order that arrives then waits.
fn waits(orders: f64, capacity: f64) -> Vec<(f64, f64)> {
    let mut waiting = 0.0_f64;
    (0..24 * 60)
        .map(|minute| {
            waiting = (waiting + HOURS[minute / 60] * orders / 60.0 - capacity * 60.0).max(0.0);
            (minute as f64 / 60.0, waiting / capacity)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_hours_are_the_whole_day_and_half_the_servers_make_a_queue() {
        assert!((HOURS.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let assumed =
            Assumed { orders_a_day: 30.0, webhooks_an_order: 4.0, calls_an_order: 12.0, capacity: 300.0 };
        let day = simulate(100_000.0, assumed);
        assert!(day.longest_wait < 1e-9 && day.waits.iter().any(|(_, wait)| *wait > 1.0));
    }
}
