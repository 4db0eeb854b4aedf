//! Products and stock.

mod codes;
mod products;
mod stock;
mod stock_brake;
