//! The dashboard in a real browser: headless Chromium through its own driver.

mod frame;
pub mod operator;
mod pages;
pub mod session;
mod shopkeeper;
