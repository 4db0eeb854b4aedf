//! Products and stock.

mod codes;
mod extra;
mod follow_ups;
mod items;
mod products;
mod spelling;
mod stock;
mod stock_brake;
mod switches;
