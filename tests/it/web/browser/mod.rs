//! The dashboard in a real browser: headless Chromium through its own driver.

mod frame;
pub mod operator;
mod pages;
mod pictures;
pub mod session;
mod shopkeeper;
